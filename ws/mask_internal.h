// The ways to mask, for the function that chooses and for the tests of all of them.

#ifndef STRATA_WS_MASK_INTERNAL_H_
#define STRATA_WS_MASK_INTERNAL_H_

#include <cstddef>
#include <cstdint>

namespace strata::ws {

// Each writes `size` bytes of `from`, XORed with the four bytes of `key` again and again, to `to`,
// which is `from` or does not overlap it.

// By words of 8 bytes; what the others take for less than 16.
void CopyMaskedPortable(char* to, const char* from, std::size_t size, std::uint32_t key);

// By 16 bytes, which every x86-64 can.
void CopyMaskedSse2(char* to, const char* from, std::size_t size, std::uint32_t key);

// By 32 bytes. Only where MaskAvx2IsAvailable().
void CopyMaskedAvx2(char* to, const char* from, std::size_t size, std::uint32_t key);
bool MaskAvx2IsAvailable();

}  // namespace strata::ws

#endif  // STRATA_WS_MASK_INTERNAL_H_
