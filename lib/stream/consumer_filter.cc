// What the consumer's half tells of its filter, for another process of the open.
#include "stream/flow.h"
#include "stream/format_word.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

ConsumerFlow::Filter ConsumerFlow::filter() const {
  return {consumer_.filter_section.load(kRelaxed), consumer_.filter_begin.load(kRelaxed),
          consumer_.filter_format.load(kRelaxed), consumer_.filter_given.load(kRelaxed)};
}

void ConsumerFlow::begin_filter(const audio::PcmFormat& to) {
  consumer_.filter_begin.store(read(), kRelaxed);
  consumer_.filter_given.store(0, kRelaxed);
  consumer_.filter_format.store(pack(to), kRelaxed);
  consumer_.filter_section.store(section_read(), kRelaxed);
}

void ConsumerFlow::filter_gave(std::uint64_t frames) {
  consumer_.filter_given.store(consumer_.filter_given.load(kRelaxed) + frames, kRelaxed);
}

void ConsumerFlow::move_filter(std::int64_t frames) {
  consumer_.filter_begin.store(consumer_.filter_begin.load(kRelaxed) + as_position(frames),
                               kRelaxed);
}

}  // namespace ossloop::device
