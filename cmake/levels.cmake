# The program for several instruction sets, chosen when it starts: ONMANIFOLD_LEVELS="x86-64-v3;x86-64-v4" beside
# ONMANIFOLD_MARCH=x86-64-v2 (preset package). All of it but main is a shared library, built once for each level and
# installed as glibc wants it, in glibc-hwcaps/LEVEL below the library's folder: the dynamic loader takes the best one that
# the processor runs. docs/decisions/levels.md says why, and what was measured.
set(ONMANIFOLD_PROGRAM_DIR "${CMAKE_INSTALL_LIBDIR}/onmanifold")
if(NOT ONMANIFOLD_LEVELS)
  return()
endif()

include(ExternalProject)
if(ONMANIFOLD_BUILD_WHEEL)
  set(levelled onmanifold_python)
else()
  set(levelled onmanifold_program)
  file(RELATIVE_PATH to_libraries "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}/onmanifold")
  set_target_properties(onmanifold PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libraries}")
  install(TARGETS onmanifold_program LIBRARY DESTINATION ${ONMANIFOLD_PROGRAM_DIR} COMPONENT program)
endif()
foreach(level IN LISTS ONMANIFOLD_LEVELS)
  # The same sources, compiler and settings but for -march=. One after the other: each takes all cores.
  set(folder "${CMAKE_BINARY_DIR}/levels/${level}")
  ExternalProject_Add(
    level-${level}
    SOURCE_DIR "${PROJECT_SOURCE_DIR}"
    BINARY_DIR "${folder}"
    STAMP_DIR "${folder}-stamp"
    TMP_DIR "${folder}-tmp"
    CMAKE_ARGS -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}
               -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
               -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
               -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}
               -DCMAKE_INSTALL_PREFIX=${CMAKE_INSTALL_PREFIX}
               -DONMANIFOLD_MARCH=${level}
               -DONMANIFOLD_LEVEL_ONLY=ON
               -DONMANIFOLD_BUILD_WHEEL=${ONMANIFOLD_BUILD_WHEEL}
               -DONMANIFOLD_WERROR=${ONMANIFOLD_WERROR}
               -DONMANIFOLD_BUILD_TESTS=OFF
               -DONMANIFOLD_BUILD_BENCHMARKS=OFF
    BUILD_COMMAND "${CMAKE_COMMAND}" --build "${folder}" --target ${levelled}
    BUILD_ALWAYS ON
    INSTALL_COMMAND ""
    USES_TERMINAL_BUILD ON)
  if(NOT ONMANIFOLD_BUILD_WHEEL)
    install(FILES "${folder}/cli/libonmanifold_program.so" DESTINATION ${ONMANIFOLD_PROGRAM_DIR}/glibc-hwcaps/${level}
            PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ COMPONENT program)
  endif()
endforeach()
