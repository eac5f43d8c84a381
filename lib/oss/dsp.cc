#include "oss/dsp.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "audio/pcm_format.h"
#include "device/sync_group.h"
#include "oss/system.h"
#include "oss/text.h"

namespace ossloop::oss {
namespace {

using device::Access;
using device::kRead;
using device::kWrite;

// Counters of 32 bits wrap, as the driver's did.
std::int32_t low32(std::uint64_t value) { return static_cast<std::int32_t>(value & 0x7fffffff); }

void enumerate_one(oss_mixer_enuminfo& names, const char* name) {
  names = {};
  names.nvalues = 1;
  put_text(names.strings, name);
}

}  // namespace

int Dsp::set_format(std::int32_t& afmt) {
  audio::PcmFormat wanted = endpoint_.format();
  int result = 0;
  // A format that we do not have leaves the present one, and no error: that is
  // how programs probe.
  if (afmt != AFMT_QUERY && audio::find_format(afmt) != nullptr) {
    wanted.afmt = afmt;
    result = endpoint_.set_format(fd_, wanted);
  }
  afmt = endpoint_.format().afmt;
  return result;
}

int Dsp::formats(std::int32_t& mask) {
  mask = audio::supported_formats_mask();
  return 0;
}

int Dsp::speed(std::int32_t& rate_hz) {
  audio::PcmFormat wanted = endpoint_.format();
  int result = 0;
  if (rate_hz < 0) return -EINVAL;
  if (rate_hz != 0) {
    wanted.rate_hz = std::clamp<int>(rate_hz, audio::kMinRateHz, audio::kMaxRateHz);
    result = endpoint_.set_format(fd_, wanted);
  }
  rate_hz = endpoint_.format().rate_hz;
  return result;
}

int Dsp::channels(std::int32_t& count) {
  audio::PcmFormat wanted = endpoint_.format();
  int result = 0;
  if (count < 0) return -EINVAL;
  if (count != 0) {
    wanted.channels = std::clamp<int>(count, 1, audio::kMaxChannels);
    result = endpoint_.set_format(fd_, wanted);
  }
  count = endpoint_.format().channels;
  return result;
}

int Dsp::stereo(std::int32_t& on) {
  if (on < 0 || on > 1) return -EINVAL;
  std::int32_t count = on + 1;
  const int result = channels(count);
  on = count == 1 ? 0 : 1;
  return result;
}

int Dsp::present_speed(std::int32_t& rate_hz) {
  rate_hz = endpoint_.format().rate_hz;
  return 0;
}
int Dsp::present_format(std::int32_t& afmt) {
  afmt = endpoint_.format().afmt;
  return 0;
}
int Dsp::present_channels(std::int32_t& count) {
  count = endpoint_.format().channels;
  return 0;
}

int Dsp::cooked_mode(std::int32_t& on) {
  endpoint_.told().cooked.store(on != 0 ? 1 : 0, std::memory_order_relaxed);
  return 0;
}

int Dsp::channel_order(std::uint64_t& order) {
  order = CHNORDER_NORMAL;
  return 0;
}

// Programs that cannot use the one order there is find out, instead of having
// their channels mixed up.
int Dsp::set_channel_order(std::uint64_t& order) { return order == CHNORDER_NORMAL ? 0 : -EINVAL; }

int Dsp::block_size(std::int32_t& bytes) {
  bytes = static_cast<std::int32_t>(endpoint_.buffering().fragment_bytes);
  return 0;
}

int Dsp::set_fragment(std::int32_t& request) {
  // Once sound has moved the buffer stays as it is.
  if (!endpoint_.transferring())
    endpoint_.choose_fragment(fd_, static_cast<std::uint32_t>(request));
  return 0;
}

int Dsp::subdivide(std::int32_t& divisor) {
  if (divisor == 0) {
    divisor = 1;
    return 0;
  }
  if (divisor != 1 && divisor != 2 && divisor != 4) return -EINVAL;
  if (!endpoint_.transferring()) endpoint_.subdivide(fd_, static_cast<std::uint32_t>(divisor));
  return 0;
}

int Dsp::policy(std::int32_t& number) {
  if (number < 0 || number > 10) return -EINVAL;
  if (!endpoint_.transferring()) endpoint_.choose_policy(fd_, number);
  return 0;
}

int Dsp::low_water(std::int32_t& bytes) {
  const auto total = static_cast<std::int32_t>(endpoint_.buffer_frames()) * frame_bytes();
  bytes = std::clamp(bytes, frame_bytes(), std::max(total / 2, frame_bytes()));
  endpoint_.set_low_water(static_cast<std::uint32_t>(bytes));
  return 0;
}

int Dsp::space(audio_buf_info& info, Access direction) {
  if ((endpoint_.access() & direction) == 0) return -ENOTSUP;
  device::Space space{};
  if (const int error = endpoint_.space(fd_, direction, space); error != 0) return error;
  info = {static_cast<std::int32_t>(space.fragments),
          static_cast<std::int32_t>(space.fragments_total),
          static_cast<std::int32_t>(space.fragment_bytes), static_cast<std::int32_t>(space.bytes)};
  return 0;
}

int Dsp::output_space(audio_buf_info& info) { return space(info, kWrite); }
int Dsp::input_space(audio_buf_info& info) { return space(info, kRead); }

int Dsp::output_delay(std::int32_t& bytes) {
  if (!writable()) return -ENOTSUP;
  bytes = low32(endpoint_.delay_frames(fd_) * static_cast<std::uint64_t>(frame_bytes()));
  return 0;
}

int Dsp::pointer(count_info& info, Access direction) {
  if ((endpoint_.access() & direction) == 0) return -ENOTSUP;
  if (const int end = endpoint_.mapped_end(fd_, direction); end != 0) return end;
  const device::Pointer pointer = endpoint_.pointer(fd_, direction);
  info.bytes =
      static_cast<std::uint32_t>(pointer.frames * static_cast<std::uint64_t>(frame_bytes()));
  info.blocks = low32(pointer.fragments);
  info.ptr = static_cast<std::int32_t>(pointer.ptr_bytes);
  return 0;
}

int Dsp::output_pointer(count_info& info) { return pointer(info, kWrite); }
int Dsp::input_pointer(count_info& info) { return pointer(info, kRead); }

int Dsp::current(oss_count_t& count, Access direction) {
  if ((endpoint_.access() & direction) == 0) return -ENOTSUP;
  if (const int end = endpoint_.mapped_end(fd_, direction); end != 0) return end;
  const device::Pointer pointer = endpoint_.pointer(fd_, direction);
  count = {};
  count.samples = static_cast<std::int64_t>(pointer.frames);
  count.fifo_samples = low32(pointer.queued_frames);
  return 0;
}

int Dsp::current_output(oss_count_t& count) { return current(count, kWrite); }
int Dsp::current_input(oss_count_t& count) { return current(count, kRead); }

int Dsp::errors(audio_errinfo& info) {
  const device::Errors errors = endpoint_.errors(fd_);
  info = {};
  info.play_underruns = low32(errors.play_underruns);
  info.rec_overruns = low32(errors.record_overruns);
  return 0;
}

int Dsp::peaks(oss_peaks_t& peaks, Access direction) {
  if ((endpoint_.access() & direction) == 0) return -ENOTSUP;
  endpoint_.peaks(fd_, direction, peaks);
  return 0;
}

int Dsp::input_peaks(oss_peaks_t& levels) { return peaks(levels, kRead); }
int Dsp::output_peaks(oss_peaks_t& levels) { return peaks(levels, kWrite); }

int Dsp::halt() {
  endpoint_.halt(fd_, device::kReadWrite);
  return 0;
}
int Dsp::halt_input() {
  endpoint_.halt(fd_, kRead);
  return 0;
}
int Dsp::halt_output() {
  endpoint_.halt(fd_, kWrite);
  return 0;
}
int Dsp::sync() { return endpoint_.sync(fd_); }
int Dsp::post() { return 0; }
int Dsp::silence() {
  if (!writable()) return -ENOTSUP;
  endpoint_.silence(fd_);
  return 0;
}
int Dsp::skip() {
  if (!writable()) return -ENOTSUP;
  endpoint_.halt(fd_, kWrite);
  return 0;
}
int Dsp::nonblock() {
  endpoint_.set_nonblock(true);
  return 0;
}

int Dsp::trigger(std::int32_t& bits) {
  bits = static_cast<std::int32_t>(endpoint_.trigger());
  return 0;
}

int Dsp::set_trigger(std::int32_t& bits) {
  return endpoint_.set_trigger(fd_, static_cast<std::uint32_t>(bits));
}

int Dsp::join_group(oss_syncgroup& group) {
  const int id = device::SyncGroups::instance().join(group.id, endpoint_, fd_,
                                                     static_cast<std::uint32_t>(group.mode));
  if (id < 0) return id;
  group.id = id;
  return 0;
}

int Dsp::start_group(std::int32_t& id) { return device::SyncGroups::instance().start(id); }

int Dsp::set_duplex() { return -ENOTSUP; }
int Dsp::profile(std::int32_t&) { return 0; }

int Dsp::play_volume(std::int32_t& level) {
  level = static_cast<std::int32_t>(endpoint_.volume(kWrite));
  return 0;
}
int Dsp::record_volume(std::int32_t& level) {
  level = static_cast<std::int32_t>(endpoint_.volume(kRead));
  return 0;
}

int Dsp::set_volume(std::int32_t& level, Access direction) {
  endpoint_.set_volume(direction, static_cast<std::uint32_t>(level));
  level = static_cast<std::int32_t>(endpoint_.volume(direction));
  return 0;
}
int Dsp::set_play_volume(std::int32_t& level) { return set_volume(level, kWrite); }
int Dsp::set_record_volume(std::int32_t& level) { return set_volume(level, kRead); }

int Dsp::play_target(std::int32_t& target) {
  target = 0;
  return writable() ? 0 : -ENOTSUP;
}
int Dsp::record_source(std::int32_t& source) {
  source = 0;
  return readable() ? 0 : -ENOTSUP;
}
int Dsp::play_target_names(oss_mixer_enuminfo& names) {
  if (!writable()) return -ENOTSUP;
  enumerate_one(names, "loop");
  return 0;
}
int Dsp::record_source_names(oss_mixer_enuminfo& names) {
  if (!readable()) return -ENOTSUP;
  enumerate_one(names, "loop");
  return 0;
}

int Dsp::capabilities(std::int32_t& bits) {
  bits = side_caps(&endpoint_.segment()->contract(), endpoint_.side());
  return 0;
}

int Dsp::set_song(oss_longname_t& name) {
  put_text(endpoint_.told().song, text_of(name));
  return 0;
}
int Dsp::song(oss_longname_t& name) {
  put_text(name, text_of(endpoint_.told().song));
  return 0;
}
int Dsp::set_label(oss_label_t& label) {
  put_text(endpoint_.told().label, text_of(label));
  return 0;
}
int Dsp::label(oss_label_t& label) {
  put_text(label, text_of(endpoint_.told().label));
  return 0;
}
int Dsp::set_name(oss_longname_t& name) {
  put_text(endpoint_.told().command, text_of(name));
  return 0;
}

}  // namespace ossloop::oss
