// SPDX-License-Identifier: Apache-2.0
#include "suite/progress.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace onmanifold {
namespace {

std::string clock_text(double seconds) {
  const auto total = static_cast<long long>(std::llround(std::clamp(seconds, 0.0, 3.6e9)));
  const long long hours = total / 3600;
  const long long minutes = total / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60);
  return fmt::format("{}:{:02}", minutes, total % 60);
}

// A line that wraps could not be overwritten. Counts bytes, and cuts no UTF-8 sequence in two.
std::string cut(std::string text, std::size_t width) {
  if (text.size() <= width) return text;
  while (width > 0 && (static_cast<unsigned char>(text[width]) & 0xC0U) == 0x80U) --width;
  text.resize(width);
  return text;
}

}  // namespace

Progress::Progress(std::string title, Index total, int descriptor, bool force)
    : title_(std::move(title)),
      total_(std::max<Index>(total, 0)),
      descriptor_(descriptor),
      visible_(force || ::isatty(descriptor) == 1),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (visible_ && drawn_) write("\n");
}

void Progress::advance(const std::string& label, Index weight) {
  done_ = std::min(done_ + std::max<Index>(weight, 0), total_);
  label_ = label;
  if (!visible_) return;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  winsize size{};
  std::size_t width = 110;
  if (::ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) width = size.ws_col - 1U;
  write(fmt::format("\r{}\x1b[K", cut(line(elapsed), width)));
  drawn_ = true;
}

std::string Progress::line(double elapsed_seconds) const {
  const double fraction = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1.0;
  std::string eta = "-:--";
  if (done_ > 0 || total_ == 0) eta = clock_text(elapsed_seconds * (1.0 - fraction) / fraction);
  // Rounded down: 100 % means done.
  std::string text = fmt::format("{}  {}/{}  {} %  ETA {}", title_, done_, total_,
                                 static_cast<int>(std::floor(100.0 * fraction)), eta);
  if (!label_.empty()) text += "  " + label_;
  // Titles and labels come from files of users.
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20U || c == 0x7FU; }, ' ');
  return text;
}

void Progress::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      visible_ = false;  // nobody is watching any more
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace onmanifold
