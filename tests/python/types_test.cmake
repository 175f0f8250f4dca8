# mypy over the package and over a program that uses it, and over one that uses it wrongly, which must be found.
function(check expected name text)
  file(WRITE "${SCRATCH}/${name}.py" "${text}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env "MYPYPATH=${PACKAGE}" "${PYTHON}" -m mypy --strict --ignore-missing-imports
            --cache-dir "${SCRATCH}/cache" "${SCRATCH}/${name}.py"
    WORKING_DIRECTORY "${SCRATCH}" OUTPUT_VARIABLE out ERROR_VARIABLE out RESULT_VARIABLE found)
  if(NOT found EQUAL expected)
    message(FATAL_ERROR "mypy ended with ${found}, expected ${expected}:\n${out}")
  endif()
endfunction()
set(good "import onmanifold as om\ntask = om.task(\"so3-fisher\")\nvalue: float = task.score(task.train(10)).value(\"tvd\")\n")
check(0 uses "${good}")
check(1 misuses "${good}other: str = task.score(task.train(10)).value(\"tvd\")\n")
