# The program itself exports the reference of every task with the hash of tasks.txt: it links code that is compiled with
# fused operations, whose copies of inline functions must not have got into the data. -DPROGRAM=… -DTASKS=… -DOUTPUT=…
file(STRINGS "${TASKS}" lines REGEX "^[^#]+ reference [0-9a-f]+$")
set(different 0)
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([^ ]+) .* ([0-9a-f]+)$" whole "${line}")
  set(task "${CMAKE_MATCH_1}")
  set(hash "${CMAKE_MATCH_2}")
  execute_process(COMMAND "${PROGRAM}" export "${task}" -n 500 --reference -o "${OUTPUT}" OUTPUT_VARIABLE text
                  COMMAND_ERROR_IS_FATAL ANY)
  if(NOT text MATCHES "sha256 of the points: ${hash}")
    message("${task}: ${hash} expected, the program says ${text}")
    math(EXPR different "${different} + 1")
  endif()
endforeach()
list(LENGTH lines count)
if(different OR count EQUAL 0)
  message(FATAL_ERROR "${different} of ${count} references differ")
endif()
