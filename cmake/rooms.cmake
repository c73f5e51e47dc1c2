# dmsim_room(NAME DEPENDS ...)
#   One static library dmsim_NAME of every *.cc in this folder but the tests, and, when there are any
#   *_test.cc, one GoogleTest binary NAME_test of those, run from the top of the source tree.
#   TEST_DEPENDS names what only the tests link.
# The link edges are the floors: a room names the rooms below it that it may include.

add_library(dmsim_options INTERFACE)
target_compile_options(dmsim_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -fno-strict-aliasing -fno-omit-frame-pointer)
target_include_directories(dmsim_options INTERFACE ${CMAKE_SOURCE_DIR})
if(DMSIM_ASAN)
  target_compile_options(dmsim_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(dmsim_options INTERFACE -fsanitize=address,undefined)
endif()

function(dmsim_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;TEST_DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
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
      GTest::gmock GTest::gtest GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 900)
  endif()
endfunction()
