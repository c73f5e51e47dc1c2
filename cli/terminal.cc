#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace dmsim {

void show_progress(std::string line, bool stays) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  winsize size{};
  if (terminal && !stays && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
      line.size() >= size.ws_col) {
    line.resize(size.ws_col - 1u);
  }
  std::fprintf(stderr, "%s%s%s", terminal ? "\r\x1b[K" : "", line.c_str(), terminal && !stays ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace dmsim
