# Build types, sanitizers and two INTERFACE targets: onmanifold::abi, what a program that uses the libraries has to share
# with them, and onmanifold::flags, every flag of our own code.
if(CMAKE_SOURCE_DIR STREQUAL CMAKE_BINARY_DIR)
  message(FATAL_ERROR "In-source builds are refused; use a preset: cmake --preset release")
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# The build type of the sanitizer presets, optimised enough to run every test. FORCE, here and below: project() has
# already made the entries, empty or with the defaults of CMake.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1" CACHE STRING "Flags of the sanitizer presets" FORCE)
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1" CACHE STRING "Flags of the sanitizer presets" FORCE)
# -O3 and NDEBUG: our own checks do not depend on NDEBUG, Eigen's do.
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG" CACHE STRING "Flags of Release" FORCE)

set(ONMANIFOLD_MARCH "" CACHE STRING "Value of -march= (the release preset says native)")
set(ONMANIFOLD_LEVELS "" CACHE STRING "Further values of -march= for one program that chooses (cmake/levels.cmake)")
option(ONMANIFOLD_LEVEL_ONLY "Build the program's library for one level (cmake/levels.cmake sets it)" OFF)
mark_as_advanced(ONMANIFOLD_LEVEL_ONLY)
option(ONMANIFOLD_BUILD_WHEEL "What comes in levels is the library of the Python package (scripts/build-wheel.sh)" OFF)
set(ONMANIFOLD_SANITIZE "" CACHE STRING "Value of -fsanitize=")

# One set of objects serves the program, the shared libraries of cmake/levels.cmake and the Python module. With hidden
# symbols nothing can be put in place of a function of ours, so that the compiler inlines as it does without -fPIC.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

add_library(onmanifold_abi INTERFACE)
add_library(onmanifold::abi ALIAS onmanifold_abi)
add_library(onmanifold_flags INTERFACE)
add_library(onmanifold::flags ALIAS onmanifold_flags)
target_link_libraries(onmanifold_flags INTERFACE onmanifold_abi)
# 64-byte buffers whatever the instruction set: results must not depend on where a buffer starts.
target_compile_definitions(onmanifold_abi INTERFACE EIGEN_MAX_ALIGN_BYTES=64 EIGEN_DONT_PARALLELIZE)
target_compile_features(onmanifold_abi INTERFACE cxx_std_20)
target_compile_options(onmanifold_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                  -Woverloaded-virtual -Wold-style-cast -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes the undefined operands of its own AVX-512 intrinsics for our mistakes.
  target_compile_options(onmanifold_flags INTERFACE -Wno-maybe-uninitialized)
endif()
if(ONMANIFOLD_WERROR)
  target_compile_options(onmanifold_flags INTERFACE -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Warnings of GCC's optimiser depend on what -march= lets it inline: they warn, but another CPU is no error.
    target_compile_options(
      onmanifold_flags
      INTERFACE -Wno-error=array-bounds -Wno-error=free-nonheap-object -Wno-error=nonnull -Wno-error=restrict
                -Wno-error=stringop-overflow -Wno-error=stringop-overread -Wno-error=stringop-truncation
                -Wno-error=uninitialized)
  endif()
endif()
if(ONMANIFOLD_MARCH)
  target_compile_options(onmanifold_abi INTERFACE -march=${ONMANIFOLD_MARCH})
  if(ONMANIFOLD_MARCH MATCHES "^(native|x86-64-v4)$")
    # GCC prefers 256-bit vectors by default on most AVX-512 machines; our kernels are dense.
    include(CheckCXXCompilerFlag)
    check_cxx_compiler_flag(-mprefer-vector-width=512 ONMANIFOLD_HAS_VECTOR_WIDTH)
    if(ONMANIFOLD_HAS_VECTOR_WIDTH)
      target_compile_options(onmanifold_abi INTERFACE -mprefer-vector-width=512)
    endif()
  endif()
endif()
if(ONMANIFOLD_SANITIZE)
  target_compile_options(onmanifold_flags INTERFACE -fsanitize=${ONMANIFOLD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(onmanifold_flags INTERFACE -fsanitize=${ONMANIFOLD_SANITIZE})
  if(ONMANIFOLD_SANITIZE MATCHES "undefined")
    # These five make Eigen four times slower to compile and find nothing in expression templates.
    target_compile_options(
      onmanifold_flags INTERFACE -fno-sanitize=null,alignment,vptr,object-size,pointer-overflow
                                 -fno-sanitize-recover=undefined)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns about its own instrumentation: atomic fences, and bounds it can no longer see (Release still checks).
    target_compile_options(onmanifold_flags INTERFACE -Wno-tsan -Wno-array-bounds -Wno-stringop-overflow
                                                        -Wno-restrict)
  endif()
endif()
