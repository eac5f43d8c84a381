// The runtime folder: where the segments and nodes of one user lie.
//
// Nothing reaches a file of an instance but through here. Each call opens the folder,
// looks on that very descriptor whose it is, and works relative to it, so no name that
// somebody else made meanwhile is ever followed. For a moment that takes a descriptor:
// run them where one disturbs nobody (device/device_thread.h).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/fd.h"

namespace ossloop::shm {

class RuntimeDirectory {
 public:
  // `file_mode` is that of the files in it, 0600 or 0660. With the group's bits the
  // folder is shared: then it may be root's, too, and its group must be one of ours.
  RuntimeDirectory(std::string path = {}, mode_t file_mode = 0600)
      : path_(std::move(path)), file_mode_(file_mode & 0660), user_(::geteuid()) {}

  const std::string& path() const { return path_; }
  // For messages, and for what a program must open by itself.
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  // Makes the folder if it is missing, with the mode it must have whatever the umask.
  // 0; -EACCES when it cannot be trusted; or what the system says. The reason in `why`.
  int make(std::string& why) const;
  // Logs the reason.
  int make() const;
  // Only looks. -ENOENT needs no reason.
  int check(std::string& why) const;

  // As the system calls of these names; no link is followed, all is closed on exec. And
  // -EACCES when the folder cannot be trusted: the log tells why, once.
  int open(const std::string& name, int flags) const;
  int stat(const std::string& name, struct stat& status) const;
  int link(const std::string& from, const std::string& to) const;
  int remove(const std::string& name) const;

  // These have the mode they must have, and in a shared folder its group, whatever the
  // umask. A new file, empty and open for reading and writing; -EEXIST.
  int make_file(const std::string& name) const;
  // Seen by nobody before it is whole. 0 also when it is there; -EEXIST when something
  // else is.
  int make_fifo(const std::string& name) const;
  // 0 also when it is there. All may look into it.
  int make_folder(const std::string& name) const;

  // The status of a file by its path: without a descriptor, so in any thread, but the
  // folder may be another's. What it says is a reason to look here, no more.
  int glance(const std::string& name, struct stat& status) const;

 private:
  // The folder as far as names in it go. -errno, told in the log if it is not trusted.
  base::Fd reach() const;
  base::Fd reach(std::string& why) const;
  const char* distrusted(const struct stat& status) const;
  int settle(int fd, int folder, mode_t mode) const;
  int mend(int fd, bool made) const;
  bool shared() const { return (file_mode_ & 0060) != 0; }

  std::string path_;
  mode_t file_mode_;
  uid_t user_;
};

// A passing name for what gets its own when it is whole.
std::string passing_name(const std::string& name);

}  // namespace ossloop::shm
