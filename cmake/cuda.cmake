# The CUDA plug-in: one shared library with a C interface, opened by the core on first use. FREEDIVE_CUDA decides:
#   AUTO  built if an nvcc of version 12 or later is found, and says which it was (what pip does)
#   ON    built, or the configuration fails
#   OFF   not built (default of a plain cmake, which is a developer's)
# nvcc is looked for on PATH, in CUDAToolkit's usual places, and in the wheels nvidia-cuda-nvcc and its companions of
# the Python in use. The runtime is linked statically and libcuda never, so the result loads on machines without a driver.
if(SKBUILD)
  set(default AUTO)
else()
  set(default OFF)
endif()
set(FREEDIVE_CUDA ${default} CACHE STRING "Build the CUDA plug-in: AUTO, ON or OFF")
set_property(CACHE FREEDIVE_CUDA PROPERTY STRINGS AUTO ON OFF)

function(freedive_no_cuda why)
  if(FREEDIVE_CUDA STREQUAL "AUTO")
    message(STATUS "freedive: without CUDA (${why})")
  else()
    message(FATAL_ERROR "FREEDIVE_CUDA=${FREEDIVE_CUDA}, but ${why}")
  endif()
endfunction()

if(FREEDIVE_CUDA STREQUAL "OFF")
  message(STATUS "freedive: without CUDA (FREEDIVE_CUDA=OFF)")
  return()
endif()

# Real code for the generations that differ, and PTX for those to come. Set before the language is enabled.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90-virtual)
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)

# nvcc from wheels: it looks for its libraries in lib64, they have lib.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(FREEDIVE_NVCC nvcc PATHS /usr/local/cuda/bin)
  if(NOT FREEDIVE_NVCC AND Python_EXECUTABLE)
    execute_process(
      COMMAND ${Python_EXECUTABLE} -c
              "import nvidia, pathlib; print(next(p for d in nvidia.__path__ for p in pathlib.Path(d).glob('cu*/bin/nvcc')))"
      OUTPUT_VARIABLE nvcc_of_wheels OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(nvcc_of_wheels)
      set(FREEDIVE_NVCC ${nvcc_of_wheels} CACHE FILEPATH "nvcc" FORCE)
      get_filename_component(nvcc_bin ${nvcc_of_wheels} DIRECTORY)
      set(CMAKE_CUDA_FLAGS_INIT "-L${nvcc_bin}/../lib")
      set(ENV{NVCC_APPEND_FLAGS} "-L${nvcc_bin}/../lib")
    endif()
  endif()
  if(FREEDIVE_NVCC)
    set(CMAKE_CUDA_COMPILER ${FREEDIVE_NVCC})
  endif()
endif()

include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  freedive_no_cuda("no CUDA compiler was found")
  return()
endif()
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0)
  freedive_no_cuda("nvcc ${CMAKE_CUDA_COMPILER_VERSION} is older than 12.0")
  return()
endif()

if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
file(GLOB cuda_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/csrc/kernels/cuda/*.cu)
file(GLOB hopper_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/csrc/kernels/cuda/*_sm90a.cu)
list(REMOVE_ITEM cuda_sources ${hopper_sources})

function(freedive_cuda_flags target)
  set_target_properties(${target} PROPERTIES CUDA_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/csrc)
  target_compile_options(${target} PRIVATE --expt-relaxed-constexpr -Xcompiler=-Wall -Xfatbin=-compress-all)
  if(FREEDIVE_WERROR)
    # A kernel that spills registers is a mistake in its tile sizes.
    target_compile_options(${target} PRIVATE -Werror=all-warnings -Xptxas=-warn-spills,-Werror)
  endif()
endfunction()

# Instructions that only Hopper has: code for it alone, chosen at run time.
add_library(freedive_cuda_sm90a OBJECT ${hopper_sources})
set_target_properties(freedive_cuda_sm90a PROPERTIES CUDA_ARCHITECTURES 90a-real)
freedive_cuda_flags(freedive_cuda_sm90a)

add_library(freedive_cuda MODULE ${cuda_sources} $<TARGET_OBJECTS:freedive_cuda_sm90a>)
set_target_properties(freedive_cuda PROPERTIES PREFIX lib)
freedive_cuda_flags(freedive_cuda)
target_link_options(freedive_cuda PRIVATE -Wl,--exclude-libs,ALL)
install(TARGETS freedive_cuda LIBRARY DESTINATION freedive)
message(STATUS "freedive: with CUDA (nvcc ${CMAKE_CUDA_COMPILER_VERSION}, ${CMAKE_CUDA_ARCHITECTURES})")
