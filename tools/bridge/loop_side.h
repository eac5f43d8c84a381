// The server side of an instance in one direction, as the bridge takes it: a device of a program
// like any other, with the library preloaded, and what the segment tells beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "control/server_stream.h"

namespace ossloop::bridge {

class LoopSide {
 public:
  // `plays`: to clients, which record; else it records what they play.
  LoopSide(int number, bool plays) : number_(number), plays_(plays) {}

  // False with one line in `why`.
  bool open(const config::Runtime& runtime, std::string& why);

  const control::ServerStream& stream() const { return *stream_; }
  bool is_own_client() const;

  // The stream that waits is to come in this format, and with `period_frames` at a time. False
  // if the device takes another.
  bool begin(const audio::PcmFormat& format, int period_frames, int buffer_frames);
  // What is due, or what there is room for: bytes; 0 where that is nothing now; kEnded.
  static constexpr std::int64_t kEnded = -1;
  std::int64_t read(std::byte* data, std::size_t bytes);
  std::int64_t write(const std::byte* data, std::size_t bytes);
  // No stream is wanted any more until the next begin().
  void stop();

  // See control::ServerStream.
  std::optional<control::ServerStream::Ahead> ahead(std::int64_t at_ns) const {
    return stream_->ahead(at_ns, format_.rate_hz);
  }
  void trim(int ppm) { stream_->trim(ppm); }
  void stop_at_marks(bool stops) { stream_->stop_at_marks(stops); }

 private:
  std::int64_t read_now(std::byte* data, std::size_t bytes);

  const int number_;
  const bool plays_;
  base::Fd fd_;
  audio::PcmFormat format_{};
  std::unique_ptr<control::ServerStream> stream_;
};

}  // namespace ossloop::bridge
