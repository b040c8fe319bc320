# cmake -D WAY=installed|subdirectory|conan -D SOURCE=… -D BUILD=… -P run.cmake
# Takes cairn in as another project would, builds a program of two translation units, runs it.
set(work "${BUILD}/consumers/${WAY}")
set(here "${SOURCE}/tests/consumers")
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${result}): ${command}")
  endif()
endfunction()

function(build_and_run)
  run("${CMAKE_COMMAND}" -S "${here}" -B "${work}/build" -G "${GENERATOR}"
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} ${ARGN})
  run("${CMAKE_COMMAND}" --build "${work}/build")
  run("${work}/build/consumer")
endfunction()

if(WAY STREQUAL "installed")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${work}/prefix")
  build_and_run(-D CMAKE_PREFIX_PATH=${work}/prefix)
  # A header that refers to this source tree would be missed if it were still found there.
  file(STRINGS "${work}/build/CMakeCache.txt" found REGEX "^cairn_DIR:PATH=")
  if(NOT found STREQUAL "cairn_DIR:PATH=${work}/prefix/share/cmake/cairn")
    message(FATAL_ERROR "not the installed package was found: ${found}")
  endif()
  # The command is installed too, and reads a store.
  if(TOOLS)
    file(COPY "${SOURCE}/tests/golden/format-1" DESTINATION "${work}")
    execute_process(
      COMMAND "${work}/prefix/${BINDIR}/cairn-store" "${work}/format-1" verify --json
      RESULT_VARIABLE result OUTPUT_VARIABLE said)
    if(NOT result EQUAL 0)
      message(FATAL_ERROR "the installed cairn-store failed (${result}): ${said}")
    endif()
    string(JSON records ERROR_VARIABLE wrong GET "${said}" records)
    if(wrong OR records EQUAL 0)
      message(FATAL_ERROR "the installed cairn-store has read nothing: ${said}")
    endif()
  endif()
elseif(WAY STREQUAL "subdirectory")
  build_and_run(-D CAIRN_SOURCE=${SOURCE})
  # As a subproject cairn builds nothing of its own.
  if(EXISTS "${work}/build/cairn/tests" OR EXISTS "${work}/build/cairn/examples")
    message(FATAL_ERROR "a subproject configured its tests or examples")
  endif()
elseif(WAY STREQUAL "conan")
  run("${PYTHON}" -c
    "import sys; [compile(open(f).read(), f, 'exec') for f in sys.argv[1:]]"
    "${SOURCE}/conan/conanfile.py" "${SOURCE}/conan/test_package/conanfile.py")
  find_program(conan conan)
  if(conan)
    execute_process(COMMAND "${conan}" --version OUTPUT_VARIABLE version)
  endif()
  if(NOT version MATCHES "Conan version 2")
    message("consumer skipped: there is no Conan 2 here (the recipes are valid Python)")
    return()
  endif()
  # A home of its own, unless one is given: a test leaves nothing behind in the user's.
  if(NOT DEFINED ENV{CONAN_HOME})
    set(ENV{CONAN_HOME} "${work}/home")
  endif()
  run("${conan}" profile detect --exist-ok)
  run("${conan}" create "${SOURCE}/conan"
    -s compiler.cppstd=20 --build=missing --build=cairn/* -c tools.build:skip_test=True)
else()
  message(FATAL_ERROR "no such way: '${WAY}'")
endif()
