#include "ossloopctl/viewer.h"

#include <errno.h>
#include <unistd.h>

#include "base/error_text.h"
#include "ossloopctl/command.h"
#include "ossloopctl/device.h"
#include "ossloopctl/library.h"

namespace ossloop::ctl {

int become_viewer() {
  std::string why;
  const std::string path = find_viewer(why);
  if (path.empty()) return failed(why);
  ::execv(path.c_str(), given_words());
  return failed(path + ": " + base::error_text(errno));
}

}  // namespace ossloop::ctl
