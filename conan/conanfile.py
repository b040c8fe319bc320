import re
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, rmdir

required_conan_version = ">=2.0"


class CairnConan(ConanFile):
    name = "cairn"
    description = "Actors on C++20 coroutines whose state survives a crash"
    license = "MIT"
    topics = ("actors", "coroutines", "snapshots", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def set_version(self):
        header = Path(self.recipe_folder).parent / "include" / "cairn" / "version.hpp"
        self.version = re.search(r'version_text = "(.+?)"', header.read_text())[1]

    def export_sources(self):
        # The recipe stands in a folder of its own; what it packages is one level up.
        root = str(Path(self.recipe_folder).parent)
        for pattern in ("CMakeLists.txt", "LICENSE", "README.md", "cmake/*", "docs/*", "include/*",
                        "tests/*", "examples/*"):
            copy(self, pattern, root, self.export_sources_folder, excludes="*/__pycache__/*")

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("asio/[>=1.22 <2]")
        self.requires("cereal/[>=1.3.2 <2]")
        self.requires("fmt/[>=9.1 <13]")
        self.requires("xxhash/[>=0.8.1 <0.9]")

    def build_requirements(self):
        if self._tests_wanted:
            self.test_requires("catch2/[>=2.13.10 <4]")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration(f"cairn runs on Linux only, not on {self.settings.os}")
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    @property
    def _tests_wanted(self):
        return not self.conf.get("tools.build:skip_test", default=False, check_type=bool)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False
        toolchain.cache_variables["CAIRN_BUILD_TESTS"] = self._tests_wanted
        toolchain.cache_variables["CAIRN_BUILD_EXAMPLES"] = False
        toolchain.cache_variables["CAIRN_BUILD_TOOLS"] = False
        toolchain.cache_variables["CAIRN_WARNINGS_AS_ERRORS"] = False
        if self._tests_wanted:
            # Whether the system happens to have it changes nothing in what is built.
            toolchain.cache_variables["CMAKE_DISABLE_FIND_PACKAGE_CLI11"] = True
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        if self._tests_wanted:
            cmake.build()
            # The style of the sources and other ways to package them are the repository's affair.
            cmake.ctest(["--output-on-failure", "-LE", "'style|consumers'"])

    def package(self):
        CMake(self).install()
        # Conan writes the package configuration itself.
        rmdir(self, str(Path(self.package_folder) / "share"))
        copy(self, "LICENSE", self.source_folder, str(Path(self.package_folder) / "licenses"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "cairn")
        self.cpp_info.set_property("cmake_target_name", "cairn::cairn")
        # As in the package configuration that CMake installs.
        self.cpp_info.set_property("cmake_config_version_compat", "SameMinorVersion")
        self.cpp_info.system_libs = ["pthread"]
