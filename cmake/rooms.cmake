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

# Tests are optimised less than what they test: half of a build's time is theirs.
set(dmsim_test_options $<$<CONFIG:Release>:-O1>)

# Without the checks of UndefinedBehaviorSanitizer for what AddressSanitizer notices anyway: these four take half of the
# compiler's time.
if(DMSIM_ASAN)
  target_compile_options(dmsim_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize=null,alignment,object-size,vptr -fno-sanitize-recover=all)
  target_link_options(dmsim_options INTERFACE -fsanitize=address,undefined)
  set(dmsim_test_options -O0)
endif()

# Headers that nearly every file reads, compiled once for the libraries and once for the tests. Only in builds that
# repeat what another build has compiled without: there a missing #include is noticed.
if(DMSIM_PCH)
  set(dmsim_headers <algorithm> <functional> <map> <memory> <optional>
    <string> <string_view> <unordered_set> <utility> <variant> <vector> <fmt/format.h>)
  add_library(dmsim_pch OBJECT tools/precompiled.cc)
  target_link_libraries(dmsim_pch PRIVATE dmsim_options fmt::fmt Boost::context)
  target_precompile_headers(dmsim_pch PRIVATE ${dmsim_headers})
  if(DMSIM_TESTS)
    add_library(dmsim_test_pch OBJECT tools/precompiled.cc)
    target_link_libraries(dmsim_test_pch PRIVATE dmsim_options fmt::fmt Boost::context GTest::gmock GTest::gtest)
    target_compile_options(dmsim_test_pch PRIVATE ${dmsim_test_options})
    target_precompile_headers(dmsim_test_pch PRIVATE ${dmsim_headers} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
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
    if(DMSIM_PCH)
      target_link_libraries(dmsim_${name} PRIVATE fmt::fmt Boost::context)
      target_precompile_headers(dmsim_${name} REUSE_FROM dmsim_pch)
    endif()
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
    target_compile_options(${name}_test PRIVATE ${dmsim_test_options})
    if(DMSIM_PCH)
      target_link_libraries(${name}_test PRIVATE fmt::fmt Boost::context)
      target_precompile_headers(${name}_test REUSE_FROM dmsim_test_pch)
    endif()
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 900)
  endif()
endfunction()
