// A test case of this very program, run as a process of its own.
#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace child_process {

/// Runs the hidden test case of this name. Its scenario is in the environment.
class child {
 public:
  child(const std::string& test_case, const std::vector<std::string>& environment) {
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    if (::pipe(out.data()) != 0 || ::pipe(err.data()) != 0) std::abort();
    std::vector<std::string> variables = environment;
    for (char** each = ::environ; *each != nullptr; ++each) variables.emplace_back(*each);
    std::vector<char*> env;
    for (auto& each : variables) env.push_back(each.data());
    env.push_back(nullptr);
    std::string name = test_case;
    std::string program = "cairn_tests";
    std::array<char*, 3> args{program.data(), name.data(), nullptr};
    id_ = ::fork();
    if (id_ == 0) {  // nothing but system calls until the exec
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      for (const int each : {out[0], out[1], err[0], err[1]}) ::close(each);
      ::execve("/proc/self/exe", args.data(), env.data());
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      (void)exit_code();
    }
    ::close(out_);
    ::close(err_);
  }

  void kill(int signal) const { ::kill(id_, signal); }

  /// The next line that begins with "> ", without that and its end; empty: there is no more.
  [[nodiscard]] std::string line() const {
    for (;;) {
      const std::string text = line_of(out_);
      if (text.rfind("> ", 0) == 0) return text.substr(2);
      if (text.empty()) return {};
    }
  }
  [[nodiscard]] std::string error_line() const { return line_of(err_); }

  /// Waits. 128 plus the signal where one killed it.
  [[nodiscard]] int exit_code() {
    int state = 0;
    while (::waitpid(id_, &state, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }

 private:
  [[nodiscard]] static std::string line_of(int from) {
    std::string text;
    char each = 0;
    while (::read(from, &each, 1) == 1 && each != '\n') text += each;
    return text;
  }

  pid_t id_ = 0;
  int out_ = -1;
  int err_ = -1;
};

}  // namespace child_process
