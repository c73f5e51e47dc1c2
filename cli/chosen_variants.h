// Which variants of the scenarios a command runs, on which engine; and what to say when none is left.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/plan.h"

namespace dmsim {

class ChosenVariants {
 public:
  // The one of that name, or all if it is empty; on that engine, or on their own.
  ChosenVariants(std::string variant, std::string engine)
      : variant_(std::move(variant)), engine_(std::move(engine)) {}

  // Sets the engine of `plan`. False: it is not asked for, or its engine cannot do what it says.
  bool take(Plan* plan);
  // How many of those asked for their engine cannot do, and why the first cannot. Empty: none.
  std::string left_out() const;
  // Why nothing is left to run.
  std::string why_none() const;

 private:
  std::string variant_;
  std::string engine_;
  std::vector<std::string> names_;  // of all that were seen
  std::size_t left_out_ = 0;
  std::string first_left_out_;  // its name, and why
};

}  // namespace dmsim
