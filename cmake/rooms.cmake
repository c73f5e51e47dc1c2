# dmsim_room(NAME DEPENDS ...)
#   One static library dmsim_NAME of every *.cc in this folder but the tests, and, when there are any
#   *_test.cc, one GoogleTest binary NAME_test of those, run from the top of the source tree.
#   TEST_DEPENDS names what only the tests link. Their main() is tools/test_main.cc.
# The link edges are the floors: a room names the rooms below it that it may include.

add_library(dmsim_options INTERFACE)
target_compile_options(dmsim_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -fno-strict-aliasing -fno-omit-frame-pointer)
# __FILE__ (in CHECK and REACHED) says the path within the source tree, on every machine.
target_compile_options(dmsim_options INTERFACE "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
target_include_directories(dmsim_options INTERFACE ${CMAKE_SOURCE_DIR})
if(DMSIM_ASAN)
  target_compile_options(dmsim_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(dmsim_options INTERFACE -fsanitize=address,undefined)
endif()

# The main() of every test binary: GoogleTest's, and a list of the REACHED marks when it is asked for.
if(DMSIM_TESTS)
  add_library(dmsim_test_main STATIC EXCLUDE_FROM_ALL tools/test_main.cc)
  target_link_libraries(dmsim_test_main PUBLIC dmsim_options dmsim_base GTest::gtest)
endif()

function(dmsim_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;TEST_DEPENDS;FOLDERS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
  foreach(folder ${ROOM_FOLDERS})
    file(GLOB more CONFIGURE_DEPENDS ${folder}/*.cc)
    list(APPEND sources ${more})
    file(GLOB more CONFIGURE_DEPENDS ${folder}/*_test.cc)
    list(APPEND tests ${more})
  endforeach()
  list(REMOVE_ITEM sources ${tests})
  if(sources)
    add_library(dmsim_${name} STATIC ${sources})
    target_link_libraries(dmsim_${name} PUBLIC dmsim_options ${ROOM_DEPENDS})
    set(self dmsim_${name})
  else()
    add_library(dmsim_${name} INTERFACE)
    target_link_libraries(dmsim_${name} INTERFACE dmsim_options ${ROOM_DEPENDS})
    set(self dmsim_${name})
  endif()
  if(DMSIM_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${self} ${ROOM_TEST_DEPENDS}
      dmsim_test_main GTest::gmock GTest::gtest)
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 900)
  endif()
endfunction()
