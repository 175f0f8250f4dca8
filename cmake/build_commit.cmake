# cmake -DSOURCE=DIR -DOUTPUT=FILE -P build_commit.cmake
# Writes the commit of the checkout SOURCE and whether its tracked files differ from it, as two macros. Runs at every
# build and touches the file only when the answer changes. Without git, or outside a checkout: "unknown".
set(commit "unknown")
set(dirty "unknown")
find_program(GIT git)
if(GIT)
  # A directory of another user (a mounted checkout in a container) is fine to read.
  set(git "${GIT}" -c "safe.directory=*" -C "${SOURCE}")
  execute_process(COMMAND ${git} rev-parse --show-toplevel OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE failed ERROR_QUIET)
  file(REAL_PATH "${SOURCE}" source)
  # An unpacked archive may lie inside the checkout of something else.
  if(NOT failed AND top STREQUAL source)
    execute_process(COMMAND ${git} rev-parse HEAD OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE
                    RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
      set(commit "${head}")
      execute_process(COMMAND ${git} --no-optional-locks status --porcelain --untracked-files=no
                      OUTPUT_VARIABLE changes RESULT_VARIABLE failed ERROR_QUIET)
      if(NOT failed)
        set(dirty "no")
        if(NOT changes STREQUAL "")
          set(dirty "yes")
        endif()
      endif()
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT [[
#define ONMANIFOLD_COMMIT "@commit@"
#define ONMANIFOLD_DIRTY "@dirty@"
]])
