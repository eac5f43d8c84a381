// An audio descriptor as the OSS API sees it. One member per request; each
// returns 0 or -errno and works on a copy of the caller's argument.
#pragma once

#include <cstdint>

#include "device/endpoint.h"
#include "oss/soundcard.h"

namespace ossloop::oss {

class Dsp {
 public:
  Dsp(device::Endpoint& endpoint, int fd) : endpoint_(endpoint), fd_(fd) {}

  // Formats: 0 asks, anything else sets the nearest possible; the value in force
  // comes back.
  int set_format(std::int32_t& afmt);
  std::int32_t formats() const;
  int speed(std::int32_t& rate_hz);
  int channels(std::int32_t& count);
  int stereo(std::int32_t& on);
  std::int32_t present_speed() const;
  std::int32_t present_format() const;
  std::int32_t present_channels() const;
  int cooked_mode(std::int32_t& on);
  std::uint64_t channel_order() const;
  int set_channel_order(std::uint64_t& order);

  // Buffers and positions.
  std::int32_t block_size() const;
  int set_fragment(std::int32_t& request);
  int subdivide(std::int32_t& divisor);
  int policy(std::int32_t& number);
  int low_water(std::int32_t& bytes);
  int space(audio_buf_info& info, device::Access direction);
  int output_delay(std::int32_t& bytes);
  int pointer(count_info& info, device::Access direction);
  int current(oss_count_t& count, device::Access direction);
  int errors(audio_errinfo& info);
  int peaks(oss_peaks_t& peaks, device::Access direction);
  int look(ossloop_look& look);
  int choose_buffer(ossloop_buffer& buffer);

  // Flow.
  int halt(device::Access directions);
  int sync();
  int post();
  int silence();
  int pause(std::int32_t& on);
  int skip();
  int nonblock();
  std::int32_t trigger() const;
  int set_trigger(std::int32_t& bits);
  int join_group(oss_syncgroup& group);
  int start_group(std::int32_t& id);
  int set_duplex();
  int profile(std::int32_t& number);

  // Levels: left | right << 8, 0 to 100.
  std::int32_t volume(device::Access direction) const;
  int set_volume(std::int32_t& level, device::Access direction);
  int target(std::int32_t& number, device::Access direction);
  int target_names(oss_mixer_enuminfo& names, device::Access direction);

  // Names.
  std::int32_t capabilities() const;
  int set_song(oss_longname_t& name);
  int song(oss_longname_t& name);
  int set_label(oss_label_t& label);
  int label(oss_label_t& label);
  int set_name(oss_longname_t& name);

 private:
  bool open_for(device::Access direction) const { return (endpoint_.access() & direction) != 0; }
  int frame_bytes() const { return endpoint_.format().frame_bytes(); }

  device::Endpoint& endpoint_;
  const int fd_;
};

}  // namespace ossloop::oss
