# The package of this build, used by the example as a user would.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(failed)
    message(FATAL_ERROR "${ARGN}:\n${out}${err}")
  endif()
  set(output "${out}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${SCRATCH}")
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/prefix")
run("${CMAKE_COMMAND}" -S "${EXAMPLE}" -B "${SCRATCH}/build" -G "${GENERATOR}" -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${SCRATCH}/prefix")
run("${CMAKE_COMMAND}" --build "${SCRATCH}/build")
run("${SCRATCH}/build/consumer")
# A small lift comes back: the largest distance is rounding.
if(NOT output MATCHES "sigma 0.1: moved by the projection 0\\.0[78][0-9]*, returned to within [0-9.]+e-1[56]")
  message(FATAL_ERROR "the example says\n${output}")
endif()
run("${SCRATCH}/prefix/bin/onmanifold" describe sphere-vmf6)
run("${SCRATCH}/prefix/bin/onmanifold" run smoke --dry-run -o "${SCRATCH}/results")
file(REMOVE_RECURSE "${SCRATCH}")
