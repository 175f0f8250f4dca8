// SPDX-License-Identifier: Apache-2.0
#include "suite/progress.hpp"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace onmanifold {
namespace {

// What a progress line leaves in a pipe, which is no terminal.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int writer() const { return ends_[1]; }
  [[nodiscard]] std::string read() const {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(ends_[0], buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(Progress, TellsShareAndTimeLeft) {
  const Pipe pipe;
  Progress progress("quick", 45, pipe.writer());
  EXPECT_EQ(progress.line(0), "quick  0/45  0 %  ETA -:--");
  progress.advance("sphere-vmf6/ddpm/none/seed-0", 12);
  EXPECT_EQ(progress.line(12), "quick  12/45  26 %  ETA 0:33  sphere-vmf6/ddpm/none/seed-0");
  EXPECT_EQ(progress.line(12 * 3600), "quick  12/45  26 %  ETA 33:00:00  sphere-vmf6/ddpm/none/seed-0");
  progress.advance("b");
  EXPECT_EQ(progress.line(13), "quick  13/45  28 %  ETA 0:32  b");
  progress.advance("c", 31);
  EXPECT_EQ(progress.line(90), "quick  44/45  97 %  ETA 0:02  c");
  progress.advance("d", 5);  // more than announced
  EXPECT_EQ(progress.line(100), "quick  45/45  100 %  ETA 0:00  d");
}

TEST(Progress, HasNothingToDo) {
  EXPECT_EQ(Progress("empty", 0).line(0), "empty  0/0  100 %  ETA 0:00");
  EXPECT_EQ(Progress("negative", -3).line(1), "negative  0/0  100 %  ETA 0:00");
}

TEST(Progress, TheLineHasNoControlCharacters) {
  const Pipe pipe;
  Progress progress("a\x1b[31m", 2, pipe.writer());
  progress.advance("x\ny\r\x7f");
  EXPECT_EQ(progress.line(1), "a [31m  1/2  50 %  ETA 0:01  x y  ");
}

TEST(Progress, IsSilentWithoutATerminal) {
  const Pipe pipe;
  {
    Progress progress("quick", 2, pipe.writer());
    progress.advance("a");
    progress.advance("b");
  }
  EXPECT_EQ(pipe.read(), "");
}

TEST(Progress, OverwritesItsLineAndEndsIt) {
  const Pipe pipe;
  {
    Progress progress("quick", 2, pipe.writer(), true);
    EXPECT_EQ(pipe.read(), "");
    progress.advance("a");
    EXPECT_EQ(pipe.read(), "\rquick  1/2  50 %  ETA 0:00  a\x1b[K");
    progress.advance(std::string(500, 'x'));
    EXPECT_EQ(pipe.read().size(), 1U + 110U + 3U);  // cut, so that it does not wrap
  }
  EXPECT_EQ(pipe.read(), "\n");
}

}  // namespace
}  // namespace onmanifold
