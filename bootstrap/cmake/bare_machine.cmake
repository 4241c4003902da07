# Included at the start of each interface package's project() on a machine without a ROS installation (never on apt ROS).
#
# 1. The ros-* wheels export the Python include folders of the machine that built them; ours take their place.
# 2. Generated type supports are many small files with the same large headers: one translation unit per library halves
#    the build. Not for the libraries whose generated files reuse names (generator_c, introspection_cpp).
function(simlingo_bare_machine)
  find_package(Python3 QUIET COMPONENTS Interpreter Development.Module NumPy)
  get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS imported)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(folders MATCHES "/opt/python/cp")
      list(FILTER folders EXCLUDE REGEX "^/opt/python/cp")
      list(APPEND folders ${Python3_INCLUDE_DIRS} ${Python3_NumPy_INCLUDE_DIRS})
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folders}")
    endif()
  endforeach()

  get_property(own DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS own)
    if(target MATCHES "__rosidl_(typesupport_(c|cpp|fastrtps_c|fastrtps_cpp|introspection_c)|generator_py)$")
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL simlingo_bare_machine)
