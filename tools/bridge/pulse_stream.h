// A stream at a PulseAudio server.
#pragma once

#include <pulse/context.h>
#include <pulse/stream.h>

#include <vector>

#include "bridge/sound_server.h"

namespace ossloop::bridge {

class PulseStream : public CardStream {
 public:
  PulseStream(pa_context* context, const std::string& device, const StreamSpec& spec);
  ~PulseStream() override;
  PulseStream(const PulseStream&) = delete;
  PulseStream& operator=(const PulseStream&) = delete;

  State state() override { return state_; }
  std::string why() const override { return why_; }
  void write(const std::byte* data, std::size_t bytes) override;
  std::size_t read(std::byte* data, std::size_t bytes) override;
  std::uint64_t moved_frames() const override { return moved_bytes_ / frame_bytes_; }
  void ask() override;
  bool answer(CardMoment& moment) override;
  std::uint64_t breaks() const override { return breaks_; }

 private:
  bool connect(const std::string& device);
  void watch();
  void fail();
  void follow_stream();
  void broke();
  void fill_up(std::size_t bytes);
  std::uint64_t bytes_since_dry() const;
  void answered(bool good);
  void found_running(const pa_timing_info& timing);
  void write_silence(std::uint64_t frames);
  double part_ms() const;
  std::uint64_t frames_of_ms(double ms) const;
  std::uint64_t cushion_frames(const pa_timing_info& timing) const;
  std::size_t take(std::byte* data, std::size_t bytes);

  const StreamSpec spec_;
  const std::size_t frame_bytes_;
  pa_context* const context_;
  pa_stream* stream_ = nullptr;
  State state_ = State::kOpening;
  std::string why_;
  double cushion_ms_;
  std::uint64_t moved_bytes_ = 0;
  std::uint64_t breaks_ = 0;
  std::int64_t opened_ns_ = 0;
  std::int64_t written_ns_ = 0;  // 0: not yet
  bool dry_ = false;
  bool asked_ = false;
  bool has_answer_ = false;
  CardMoment answer_;
  std::vector<std::byte> silence_;
  // What was taken of the fragment that the stream shows.
  std::size_t taken_bytes_ = 0;
};

}  // namespace ossloop::bridge
