# Warnings, optimisation and sanitizers for our own targets (never for third-party sources).
add_library(tiercel_settings INTERFACE)
target_compile_options(tiercel_settings INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -fvisibility=hidden
                                                  $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>)
if(TIERCEL_SANITIZE)
  # Directory-wide, so that third-party sources are watched too.
  add_compile_options(-fsanitize=${TIERCEL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIERCEL_SANITIZE})
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
