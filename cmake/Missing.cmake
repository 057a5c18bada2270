# Collects what the build looks for and does not find, so that one run names all of it. scripts/setup.sh asks this way what
# to install: cmake -DTIERCEL_CHECK=ON, which ends with "missing packages: …" and makes no targets.
function(tiercel_missing what package)
  message(STATUS "not found: ${what} (Debian's package: ${package})")
  set_property(GLOBAL APPEND PROPERTY TIERCEL_MISSING ${package})
endfunction()

function(tiercel_require_all)
  get_property(_missing GLOBAL PROPERTY TIERCEL_MISSING)
  if(_missing)
    list(REMOVE_DUPLICATES _missing)
    list(JOIN _missing " " _missing)
    message(STATUS "missing packages: ${_missing}") # a line of its own: errors are wrapped
    message(FATAL_ERROR "Something is missing that the build needs; the packages are named above.")
  endif()
endfunction()
