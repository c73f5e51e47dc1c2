// main() of every test binary. With DMSIM_REACHED=PREFIX in the environment it also writes which
// REACHED marks this process came by, to PREFIX plus its process id: ./check adds them up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/reached.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  if (const char* prefix = std::getenv("DMSIM_REACHED"); prefix != nullptr) {
    std::ofstream(prefix + std::to_string(getpid())) << dmsim::render_reached_marks();
  }
  return status;
}
