#include "viewer/png_file.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/error_text.h"

namespace ossloop::view {
namespace {

// libpng leaves what it was doing by a jump, over frames of C alone.
void stop(png_structp png, png_const_charp) { png_longjmp(png, 1); }
void pass_over(png_structp, png_const_charp) {}

void write_bytes(png_structp png, png_bytep data, png_size_t bytes) {
  const int fd = *static_cast<int*>(png_get_io_ptr(png));
  while (bytes > 0) {
    const ssize_t result = ::write(fd, data, bytes);
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) png_error(png, "");
    data += result;
    bytes -= static_cast<std::size_t>(result);
  }
}

void flush_nothing(png_structp) {}

// Each pixel as the number of its colour.
struct Indexed {
  explicit Indexed(const Picture& picture);
  bool fits() const { return colors.size() <= PNG_MAX_PALETTE_LENGTH; }

  std::vector<png_color> colors;
  std::vector<std::uint8_t> pixels;
};

Indexed::Indexed(const Picture& picture) {
  std::unordered_map<std::uint32_t, std::uint8_t> numbers;
  for (int y = 0; y < picture.height(); ++y) {
    for (int x = 0; x < picture.width() && fits(); ++x) {
      const Color color = picture.at(x, y);
      const std::uint32_t key = color.red << 16 | color.green << 8 | color.blue;
      const auto [entry, isnew] = numbers.emplace(key, static_cast<std::uint8_t>(colors.size()));
      if (isnew) colors.push_back({color.red, color.green, color.blue});
      pixels.push_back(entry->second);
    }
  }
}

// 0 or an errno; nothing with a destructor lives here.
int encode(png_structp png, png_infop info, int* fd, const Picture& picture,
           const Indexed& indexed) {
  if (setjmp(png_jmpbuf(png)) != 0) return errno != 0 ? errno : EIO;
  png_set_write_fn(png, fd, write_bytes, flush_nothing);
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width()),
               static_cast<png_uint_32>(picture.height()), 8,
               indexed.fits() ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (indexed.fits()) {
    png_set_PLTE(png, info, indexed.colors.data(), static_cast<int>(indexed.colors.size()));
  }
  png_write_info(png, info);
  const auto width = static_cast<std::size_t>(picture.width());
  for (int y = 0; y < picture.height(); ++y) {
    png_write_row(png, indexed.fits() ? &indexed.pixels[static_cast<std::size_t>(y) * width]
                                      : picture.row(y));
  }
  png_write_end(png, info);
  return 0;
}

mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

PngFile::~PngFile() {
  if (fd_ >= 0 && fd_ != STDOUT_FILENO) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

bool PngFile::fails(int error, std::string& why) const {
  why = name_ + ": " + base::error_text(error);
  return false;
}

bool PngFile::create(const std::string& path, std::string& why) {
  path_ = path;
  name_ = path == "-" ? "standard output" : path;
  if (path == "-" && ::isatty(STDOUT_FILENO) == 1) {
    why = name_ + " is a terminal; accepted are a pipe and a file";
    return false;
  }
  if (path == "-") {
    fd_ = STDOUT_FILENO;
    return true;
  }
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    // A device or a pipe has its place already.
    fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    return fd_ >= 0 || fails(errno, why);
  }
  if (exists && ::access(path.c_str(), W_OK) != 0) return fails(errno, why);
  std::string name = path + ".XXXXXX";
  fd_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) return fails(errno, why);
  temporary_ = name;
  ::fchmod(fd_, exists ? status.st_mode & 07777 : usual_mode());
  return true;
}

bool PngFile::write(const Picture& picture, std::string& why) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, stop, pass_over);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  const Indexed indexed(picture);
  errno = 0;
  int error = info == nullptr ? ENOMEM : encode(png, info, &fd_, picture, indexed);
  png_destroy_write_struct(&png, &info);
  if (error == 0 && fd_ != STDOUT_FILENO) {
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) error = errno;
  }
  if (error == 0 && !temporary_.empty()) {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) error = errno;
    if (error == 0) temporary_.clear();
  }
  return error == 0 || fails(error, why);
}

}  // namespace ossloop::view
