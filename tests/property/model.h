// With a free clock a loop is a pipe that converts: what it must give.
#pragma once

#include <algorithm>
#include <vector>

#include "rig.h"

namespace ossloop::property {

// What the recorder must hear of each stream: the accepted frames, those of one format
// converted at one go, less those that a halt dropped.
class Model {
 public:
  explicit Model(const Setup& setup) : setup_(setup) {}

  void began() { streams_.push_back({}); }
  std::size_t streams() const { return streams_.size(); }
  // Has anything been of another rate than the recorder's?
  bool changes_rate() const { return changes_rate_; }
  void plays(const PcmFormat& format) {
    changes_rate_ = changes_rate_ || format.rate_hz != setup_.recorder.rate_hz;
  }
  // Whole frames are counted from bytes as they were accepted; a rest waits for more.
  // `written` is where the last of them ends.
  void accepted(const PcmFormat& format, const std::byte* data, std::size_t bytes,
                std::uint64_t written) {
    Stream& stream = streams_.back();
    if (stream.empty() || stream.back().format != format) stream.push_back({format, {}, {}});
    auto& [known, sent, at] = stream.back();
    sent.insert(sent.end(), data, data + bytes);
    const std::size_t frames = sent.size() / frame_bytes(format);
    for (std::uint64_t position = written - (frames - at.size()); position != written; ++position) {
      at.push_back(position);
    }
  }
  // The same where a write was cut off: so many whole frames, of `data` and what was
  // there of a frame before. False if that is less.
  bool published(const PcmFormat& format, const Bytes& data, std::uint64_t frames,
                 std::uint64_t written) {
    if (frames == 0) return true;
    const bool goes_on = !streams_.back().empty() && streams_.back().back().format == format;
    const std::size_t rest = goes_on ? streams_.back().back().sent.size() % frame_bytes(format) : 0;
    const std::size_t bytes = frames * frame_bytes(format) - rest;
    if (bytes > data.size()) return false;
    accepted(format, data.data(), bytes, written);
    return true;
  }
  // Of a frame that was begun, when no more of it comes.
  void dropped_rest() {
    if (streams_.empty() || streams_.back().empty()) return;
    auto& [format, sent, at] = streams_.back().back();
    sent.resize(sent.size() - sent.size() % frame_bytes(format));
    if (sent.empty()) streams_.back().pop_back();
  }
  // The last `frames` accepted will not be heard, as far as they are of this stream.
  void dropped(std::size_t frames) {
    dropped_rest();
    for (auto piece = streams_.back().rbegin(); piece != streams_.back().rend(); ++piece) {
      const std::size_t here = std::min(frames, piece->at.size());
      piece->at.resize(piece->at.size() - here);
      piece->sent.resize(piece->at.size() * frame_bytes(piece->format));
      frames -= here;
    }
  }
  // What the recorder dropped unheard, from one position to another.
  void dropped(std::uint64_t from, std::uint64_t to) {
    for (Stream& stream : streams_) {
      for (auto& [format, sent, at] : stream) {
        const auto first = std::lower_bound(at.begin(), at.end(), from) - at.begin();
        const auto last = std::lower_bound(at.begin(), at.end(), to) - at.begin();
        const auto bytes = static_cast<std::ptrdiff_t>(frame_bytes(format));
        sent.erase(sent.begin() + first * bytes, sent.begin() + last * bytes);
        at.erase(at.begin() + first, at.begin() + last);
      }
    }
  }
  // All that is heard, and where in it each stream ends.
  Bytes expected(std::vector<std::size_t>& ends) const {
    Bytes all;
    for (const Stream& stream : streams_) {
      for (const Piece& piece : stream) convert(piece, all);
      ends.push_back(all.size());
    }
    return all;
  }

 private:
  struct Piece {
    PcmFormat format;
    Bytes sent;
    std::vector<std::uint64_t> at;  // each frame's position
  };
  using Stream = std::vector<Piece>;

  static std::size_t frame_bytes(const PcmFormat& format) {
    return static_cast<std::size_t>(format.frame_bytes());
  }
  void convert(const Piece& piece, Bytes& all) const {
    const std::size_t in_frame = frame_bytes(piece.format);
    const std::size_t out_frame = frame_bytes(setup_.recorder);
    int error = 0;
    const audio::Converter::Options options{
        static_cast<audio::Quality>(config::get<"quality">(setup_.policy)), false,
        audio::Blocks::kLong};
    auto converter = audio::Converter::create(piece.format, setup_.recorder, options, error);
    hold(converter != nullptr, "no converter for the model");
    const std::size_t frames = piece.sent.size() / in_frame;
    const std::size_t room =
        audio::scale_frames_round(frames, setup_.recorder.rate_hz, piece.format.rate_hz) + 8;
    Bytes out(room * out_frame);
    std::size_t taken = 0, made = 0;
    while (taken < frames) {
      const auto step = converter->process(piece.sent.data() + taken * in_frame, frames - taken,
                                           out.data() + made * out_frame, room - made);
      if (step.input_frames + step.output_frames == 0) break;
      taken += step.input_frames;
      made += step.output_frames;
    }
    while (const std::size_t more = converter->finish(out.data() + made * out_frame, room - made))
      made += more;
    all.insert(all.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(made * out_frame));
  }

  const Setup& setup_;
  std::vector<Stream> streams_;
  bool changes_rate_ = false;
};

}  // namespace ossloop::property
