// The reference count of exceptions is in libstdc++, which ThreadSanitizer does not see: it takes
// the release of one that another thread has caught for a race.
#if defined(__SANITIZE_THREAD__)
#define CAIRN_TESTS_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CAIRN_TESTS_UNDER_TSAN 1
#endif
#endif
#if defined(CAIRN_TESTS_UNDER_TSAN)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release";
}
#endif

// The runner, compiled once: Catch2 2.13 brings it in its one header, 3.x as a session to start.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
