"""Build an exported folder with CMake: alone, or with stand-ins for ESP-IDF and Zephyr."""

import subprocess
from pathlib import Path

# Kind of project -> what it defines before it adds the folder.
KINDS = {
    "plain": "",
    "esp-idf": """set(ESP_PLATFORM 1)
function(idf_component_register)
  cmake_parse_arguments(A "" "" "SRCS;INCLUDE_DIRS;REQUIRES" ${ARGN})
  add_library(@library@ STATIC ${A_SRCS})
  target_include_directories(@library@ PUBLIC ${A_INCLUDE_DIRS})
endfunction()
""",
    "zephyr": """set(ZEPHYR_BASE /)
macro(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${name})
endmacro()
macro(zephyr_library_sources)
  add_library(${ZEPHYR_CURRENT_LIBRARY} STATIC ${ARGN})
endmacro()
macro(zephyr_include_directories folder)
  target_include_directories(${ZEPHYR_CURRENT_LIBRARY} PUBLIC ${folder})
endmacro()
""",
}


def cmake_build(folder: Path, project: Path, kind: str, library: str, rest: str) -> None:
    """Configure and build a project that adds the exported folder.

    Args:
        folder: The exported folder.
        project: Where the project is.
        kind: One of `KINDS`.
        library: Name of the library that the folder makes.
        rest: What follows in the project's CMakeLists.txt.
    """
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(firmware C CXX)\n"
        + KINDS[kind].replace("@library@", library)
        + f"add_subdirectory({folder} network)\n{rest}"
    )
    for command in (["-S", ".", "-B", "build"], ["--build", "build"]):
        done = subprocess.run(["cmake", *command], cwd=project, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
