// DeviceUpdate: the steps by which the mapped devices of one version of the metadata become those of the next. The
// metadata are committed by the caller, between suspend and resume.
#pragma once

#include <string>

#include <fmt/format.h>

#include "engine/device_mapper.h"

namespace dmsim::lvm {

class DeviceUpdate {
 public:
  // Each false: an ioctl has failed; `failure()` says which, in words.
  virtual bool preload() = 0;
  virtual bool suspend() = 0;
  virtual bool resume() = 0;
  virtual bool clean() = 0;
  // After a failure of the first two: undoes what they did, as far as that goes.
  virtual void give_up() = 0;

  const std::string& failure() const { return failure_; }
  const DmError& error() const { return error_; }

 protected:
  ~DeviceUpdate() = default;
  bool done(const DmResult<>& result, std::string_view verb, std::string_view device) {
    if (result.ok()) return true;
    error_ = result.error();
    failure_ = fmt::format("{} of {} failed with errno {}{}{}", verb, device, error_.errno_value,
                           error_.reason.empty() ? "" : ": ", error_.reason);
    return false;
  }

 private:
  std::string failure_;
  DmError error_;
};

}  // namespace dmsim::lvm
