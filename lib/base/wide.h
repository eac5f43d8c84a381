// 128-bit integers, for products of a time and a rate.
#pragma once

namespace ossloop::base {
__extension__ using Int128 = __int128;
}  // namespace ossloop::base
