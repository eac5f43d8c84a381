// A picture as a PNG file.
#pragma once

#include <string>

#include "viewer/picture.h"

namespace ossloop::view {

// Nobody sees a part of it: it gets its name when it is whole.
class PngFile {
 public:
  // Makes sure that `path` can be written; "-" is standard output. This and below: false with
  // one line in `why`, and nothing is left behind.
  bool create(const std::string& path, std::string& why);
  bool write(const Picture& picture, std::string& why);

  PngFile() = default;
  ~PngFile();
  PngFile(const PngFile&) = delete;
  PngFile& operator=(const PngFile&) = delete;

 private:
  bool fails(int error, std::string& why) const;

  std::string path_;
  std::string name_;       // as it is told
  std::string temporary_;  // empty: it is written in its place
  int fd_ = -1;
};

}  // namespace ossloop::view
