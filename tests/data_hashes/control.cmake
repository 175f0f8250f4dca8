# The hash of data_hashes --broken depends on which exp the C library takes. -DPROGRAM=… -DHIDDEN=…
if(EXISTS /proc/cpuinfo)
  file(STRINGS /proc/cpuinfo fused REGEX "^flags.* fma.* avx2 " LIMIT_COUNT 1)
endif()
if(NOT fused)
  message("no fused operations on this processor: nothing to tell apart")
  return()
endif()
execute_process(COMMAND "${PROGRAM}" --broken OUTPUT_VARIABLE default COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" -E env "GLIBC_TUNABLES=${HIDDEN}" "${PROGRAM}" --broken
                OUTPUT_VARIABLE lesser COMMAND_ERROR_IS_FATAL ANY)
if(default STREQUAL lesser)
  message(FATAL_ERROR "a sampler that calls std::exp has one hash with and without fused operations: ${default}")
endif()
