# The tests that are not Catch2's: style, headers on their own, what the scripts say, code that must
# not compile, and the three ways in which another project takes cairn in.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

add_test(NAME style.sources
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/style/check.py" "${PROJECT_SOURCE_DIR}")
add_test(NAME style.check_finds_what_it_forbids
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/style/check_test.py")
add_test(NAME style.benchmarks_script
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/benchmarks/benchmarks_test.py")
add_test(NAME style.scripts
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/scripts_test.py")
set_tests_properties(style.sources style.check_finds_what_it_forbids style.benchmarks_script
  style.scripts PROPERTIES LABELS style)

add_library(cairn_compile_flags OBJECT EXCLUDE_FROM_ALL main.cpp)
target_link_libraries(cairn_compile_flags PRIVATE cairn::cairn)
set(cairn_includes "$<TARGET_PROPERTY:cairn_compile_flags,INCLUDE_DIRECTORIES>")
set(cairn_defines "$<TARGET_PROPERTY:cairn_compile_flags,COMPILE_DEFINITIONS>")

set(cairn_compiles "${CMAKE_CXX_COMPILER}" -std=c++20
  "$<$<BOOL:${cairn_includes}>:-I$<JOIN:${cairn_includes},$<SEMICOLON>-I>>"
  "$<$<BOOL:${cairn_defines}>:-D$<JOIN:${cairn_defines},$<SEMICOLON>-D>>")

# Each header needs no other before it. Clang needs a third of GCC's time to say so (headers/alone.py);
# of code and linkage the consumers below have their say.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND NOT CAIRN_SANITIZE)
  foreach(header IN LISTS cairn_headers)
    cmake_path(RELATIVE_PATH header BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/include")
    string(REGEX REPLACE "/|\\.hpp$" "_" name "${header}")
    set(name headers.${name}alone)
    add_test(NAME ${name}
      COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/headers/alone.py"
        "${PROJECT_SOURCE_DIR}/include" "${CMAKE_CURRENT_BINARY_DIR}/headers" "${header}"
        ${cairn_compiles} -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
      COMMAND_EXPAND_LISTS)
    set_tests_properties(${name} PROPERTIES LABELS headers)
    # These are what others begin with: the bases of alone.py.
    if(header MATCHES "^cairn/detail/(disk|cell|world|engine)\\.hpp$")
      list(APPEND cairn_bases ${name})
    else()
      list(APPEND cairn_others ${name})
    endif()
  endforeach()
  set_tests_properties(${cairn_bases} PROPERTIES COST 2000)
  set_tests_properties(${cairn_others} PROPERTIES DEPENDS "${cairn_bases}")
endif()

# Each file in compile_fail/ starts with `// expect: <regex>`: what the compiler must say.
file(GLOB cairn_compile_fail CONFIGURE_DEPENDS compile_fail/*.cpp)
foreach(source IN LISTS cairn_compile_fail)
  file(STRINGS "${source}" expected LIMIT_COUNT 1)
  if(NOT expected MATCHES "^// expect: (.+)$")
    message(FATAL_ERROR "${source}: its first line must be '// expect: <regex>'")
  endif()
  set(expected "${CMAKE_MATCH_1}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")

  cmake_path(GET source STEM name)
  add_test(NAME compile_fail.${name}
    COMMAND ${cairn_compiles} -fsyntax-only "${source}" COMMAND_EXPAND_LISTS)
  set_tests_properties(compile_fail.${name} PROPERTIES
    LABELS compile_fail PASS_REGULAR_EXPRESSION "${expected}")
endforeach()

# A sanitized build has nothing to add to these.
if(NOT CAIRN_SANITIZE)
  foreach(way IN ITEMS installed subdirectory conan)
    add_test(NAME consumers.${way}
      COMMAND "${CMAKE_COMMAND}"
        -D WAY=${way}
        -D SOURCE=${PROJECT_SOURCE_DIR}
        -D BUILD=${PROJECT_BINARY_DIR}
        -D GENERATOR=${CMAKE_GENERATOR}
        -D COMPILER=${CMAKE_CXX_COMPILER}
        -D LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
        -D PYTHON=${Python3_EXECUTABLE}
        -D TOOLS=${CAIRN_BUILD_TOOLS}
        -D BINDIR=${CMAKE_INSTALL_BINDIR}
        -P "${CMAKE_CURRENT_SOURCE_DIR}/consumers/run.cmake")
    set_tests_properties(consumers.${way} PROPERTIES
      LABELS consumers TIMEOUT 900 SKIP_REGULAR_EXPRESSION "consumer skipped: ")
  endforeach()
endif()
