// The libFuzzer target: `scripts/fuzz` builds and runs it.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "doors.hpp"
#include "mutate.hpp"

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::try_input({data, size});
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                    unsigned seed);
std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                      const std::uint8_t* other, std::size_t other_size,
                                      std::uint8_t* out, std::size_t most, unsigned seed);
}

namespace {

void change(std::string& text, std::size_t most) {
  const auto size = text.size();
  text.resize(std::max<std::size_t>(most, 1));
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
}

std::size_t give(const fuzz::input& made, std::uint8_t* out, std::size_t most) {
  const auto text = made.write();
  const auto size = std::min(text.size(), most);
  std::memcpy(out, text.data(), size);
  return size;
}

}  // namespace

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                    unsigned seed) {
  auto made = fuzz::input::read({data, size});
  if (size < 2) made.where = static_cast<fuzz::door>(seed % fuzz::doors);
  fuzz::mutator{seed, &change}.mutate(made, most);
  return give(made, data, most);
}

std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                      const std::uint8_t* other, std::size_t other_size,
                                      std::uint8_t* out, std::size_t most, unsigned seed) {
  auto made = fuzz::input::read({one, one_size});
  fuzz::mutator{seed, &change}.cross(made, fuzz::input::read({other, other_size}));
  return give(made, out, most);
}
