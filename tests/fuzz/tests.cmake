# The libFuzzer target, for `scripts/fuzz`. What it has found is replayed by the ordinary tests.
option(CAIRN_BUILD_FUZZER "Build the fuzzer (clang)" OFF)
mark_as_advanced(CAIRN_BUILD_FUZZER)
if(NOT CAIRN_BUILD_FUZZER)
  return()
endif()

add_executable(fuzz "${CMAKE_CURRENT_LIST_DIR}/fuzz.cpp")
target_link_libraries(fuzz PRIVATE cairn::cairn)
target_compile_definitions(fuzz PRIVATE CAIRN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_compile_options(fuzz PRIVATE -fsanitize=fuzzer)
target_link_options(fuzz PRIVATE -fsanitize=fuzzer)
