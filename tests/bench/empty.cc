// The least that a preloaded library can be: what starting with ours is compared to.
extern "C" __attribute__((visibility("default"))) int ossloop_bench_empty() { return 0; }
