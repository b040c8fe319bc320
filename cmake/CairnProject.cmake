# What holds for the project's own build alone: nothing here reaches a user of cairn::cairn.

# For what is optimised and sanitized: it compiles in three quarters of the time where undefined
# behaviour ends the program without a text, null pointers are left to the page that is not there, and
# uses of a stack that is gone to the tests, which are compiled with everything.
function(cairn_sanitize_lightly target)
  if(CAIRN_SANITIZE STREQUAL "address,undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE
      -fsanitize-trap=undefined -fno-sanitize=null -fsanitize-address-use-after-return=never)
  endif()
endfunction()

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CAIRN_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()

if(CAIRN_SANITIZE)
  add_compile_options(
    -fsanitize=${CAIRN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CAIRN_SANITIZE})
  # With sanitizers GCC warns of the standard library where nothing is wrong; the other builds keep
  # these warnings, and take all as errors.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(CAIRN_SANITIZE STREQUAL "thread")
    # Asio's fences, which stand beside mutexes that the sanitizer does understand.
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()

# What nobody asked for must not stop a build: ccache is taken only where it has a place to write.
find_program(CAIRN_CCACHE ccache)
mark_as_advanced(CAIRN_CCACHE)
if(CAIRN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  execute_process(
    COMMAND "${CAIRN_CCACHE}" "${CMAKE_CXX_COMPILER}" -x c++ -c /dev/null -o ccache_works.o
    WORKING_DIRECTORY "${PROJECT_BINARY_DIR}/CMakeFiles"
    RESULT_VARIABLE cairn_ccache_fails OUTPUT_QUIET ERROR_QUIET)
  if(NOT cairn_ccache_fails)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CAIRN_CCACHE}")
  endif()
endif()
