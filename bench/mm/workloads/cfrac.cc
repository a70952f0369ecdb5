// Factors integers by continued fractions (Morrison and Brillhart, "A Method of Factoring and the
// Factorization of F7", Mathematics of Computation 29, 1975) on small bignums. Each arithmetic
// result is a block of its own, of 16 to 64 bytes, that dies after a step or two: one thread, tiny
// blocks, tiny live set.

#include <string.h>

#include <new>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

// An immutable natural number; copies share the digits.
class Natural {
 public:
  Natural() : Natural(uint64_t{0}) {}
  explicit Natural(uint64_t value) : digits_(New(2)) {
    digits_->digit[0] = static_cast<uint32_t>(value);
    digits_->digit[1] = static_cast<uint32_t>(value >> 32);
    Trim();
  }
  Natural(const Natural& other) : digits_(other.digits_) { ++digits_->owners; }
  Natural(Natural&& other) noexcept : digits_(other.digits_) { other.digits_ = nullptr; }
  Natural& operator=(Natural other) noexcept {
    Digits* digits = digits_;
    digits_ = other.digits_;
    other.digits_ = digits;
    return *this;
  }
  ~Natural() {
    if (digits_ != nullptr && --digits_->owners == 0) Release(digits_);
  }

  bool IsZero() const { return digits_->count == 0; }
  bool IsOne() const { return digits_->count == 1 && digits_->digit[0] == 1; }
  uint64_t ToUint64() const { return Digit(0) | static_cast<uint64_t>(Digit(1)) << 32; }

  // Returns less than, equal to or greater than 0 as a < b, a == b or a > b.
  friend int Compare(const Natural& a, const Natural& b);
  friend Natural Add(const Natural& a, const Natural& b);
  // Requires a >= b.
  friend Natural Subtract(const Natural& a, const Natural& b);
  friend Natural Multiply(const Natural& a, const Natural& b);
  // Requires b > 0. Stores a mod b in `*remainder`.
  friend Natural Divide(const Natural& a, const Natural& b, Natural* remainder);
  friend Natural DivideSmall(const Natural& a, uint32_t b, uint32_t* remainder);

 private:
  struct Digits {
    uint32_t owners;
    uint32_t count;
    uint32_t digit[];  // Least significant first; the last one is not 0.
  };

  explicit Natural(Digits* digits) : digits_(digits) { Trim(); }

  static Digits* New(uint32_t count) {
    auto* digits = static_cast<Digits*>(Allocate(sizeof(Digits) + (count + 1) * sizeof(uint32_t)));
    digits->owners = 1;
    digits->count = count;
    return digits;
  }

  uint32_t Digit(uint32_t i) const { return i < digits_->count ? digits_->digit[i] : 0; }

  void Trim() {
    while (digits_->count > 0 && digits_->digit[digits_->count - 1] == 0) --digits_->count;
  }

  Digits* digits_;
};

int Compare(const Natural& a, const Natural& b) {
  if (a.digits_->count != b.digits_->count) return a.digits_->count < b.digits_->count ? -1 : 1;
  for (uint32_t i = a.digits_->count; i-- > 0;) {
    if (a.Digit(i) != b.Digit(i)) return a.Digit(i) < b.Digit(i) ? -1 : 1;
  }
  return 0;
}

Natural Add(const Natural& a, const Natural& b) {
  const uint32_t longer = a.digits_->count > b.digits_->count ? a.digits_->count : b.digits_->count;
  Natural::Digits* sum = Natural::New(longer + 1);
  uint64_t carry = 0;
  for (uint32_t i = 0; i <= longer; ++i) {
    carry += static_cast<uint64_t>(a.Digit(i)) + b.Digit(i);
    sum->digit[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  return Natural(sum);
}

Natural Subtract(const Natural& a, const Natural& b) {
  Natural::Digits* difference = Natural::New(a.digits_->count);
  int64_t borrow = 0;
  for (uint32_t i = 0; i < a.digits_->count; ++i) {
    borrow += static_cast<int64_t>(a.Digit(i)) - b.Digit(i);
    difference->digit[i] = static_cast<uint32_t>(borrow);
    borrow >>= 32;
  }
  if (borrow != 0) Fail("a negative number");
  return Natural(difference);
}

Natural Multiply(const Natural& a, const Natural& b) {
  Natural::Digits* product = Natural::New(a.digits_->count + b.digits_->count);
  memset(product->digit, 0, product->count * sizeof(uint32_t));
  for (uint32_t i = 0; i < a.digits_->count; ++i) {
    uint64_t carry = 0;
    for (uint32_t j = 0; j < b.digits_->count; ++j) {
      carry += static_cast<uint64_t>(a.Digit(i)) * b.Digit(j) + product->digit[i + j];
      product->digit[i + j] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    product->digit[i + b.digits_->count] = static_cast<uint32_t>(carry);
  }
  return Natural(product);
}

Natural DivideSmall(const Natural& a, uint32_t b, uint32_t* remainder) {
  Natural::Digits* quotient = Natural::New(a.digits_->count);
  uint64_t rest = 0;
  for (uint32_t i = a.digits_->count; i-- > 0;) {
    rest = rest << 32 | a.Digit(i);
    quotient->digit[i] = static_cast<uint32_t>(rest / b);
    rest %= b;
  }
  *remainder = static_cast<uint32_t>(rest);
  return Natural(quotient);
}

// Knuth, The Art of Computer Programming 2, 4.3.1, in its plainest form: each digit of the quotient
// is estimated from the leading 64 bits and corrected by subtraction.
Natural Divide(const Natural& a, const Natural& b, Natural* remainder) {
  if (b.digits_->count == 1) {
    uint32_t rest;
    Natural quotient = DivideSmall(a, b.Digit(0), &rest);
    *remainder = Natural(rest);
    return quotient;
  }
  Natural quotient;
  Natural rest = a;
  while (Compare(rest, b) >= 0) {
    uint32_t shift = rest.digits_->count - b.digits_->count;
    const uint32_t top = rest.digits_->count - 1;
    const uint64_t high = static_cast<uint64_t>(rest.Digit(top)) << 32 | rest.Digit(top - 1);
    const uint64_t divisor =
        static_cast<uint64_t>(b.Digit(b.digits_->count - 1)) << 32 | b.Digit(b.digits_->count - 2);
    uint64_t estimate = divisor == UINT64_MAX ? 0 : high / (divisor + 1);
    if (estimate == 0 && shift > 0) {
      // The leading part is too small: one digit less, with a divisor rounded up.
      --shift;
      estimate = high / ((divisor >> 32) + 1);
    }
    if (estimate == 0) estimate = 1;
    Natural::Digits* part = Natural::New(shift + 2);
    memset(part->digit, 0, part->count * sizeof(uint32_t));
    part->digit[shift] = static_cast<uint32_t>(estimate);
    part->digit[shift + 1] = static_cast<uint32_t>(estimate >> 32);
    const Natural step(part);
    rest = Subtract(rest, Multiply(step, b));
    quotient = Add(quotient, step);
  }
  *remainder = rest;
  return quotient;
}

Natural Remainder(const Natural& a, const Natural& b) {
  Natural remainder;
  Divide(a, b, &remainder);
  return remainder;
}

Natural GreatestCommonDivisor(Natural a, Natural b) {
  while (!b.IsZero()) {
    Natural rest = Remainder(a, b);
    a = b;
    b = rest;
  }
  return a;
}

// Newton's iteration from above.
Natural SquareRoot(const Natural& n) {
  uint32_t unused;
  Natural root = n;
  for (;;) {
    Natural rest;
    const Natural next = DivideSmall(Add(root, Divide(n, root, &rest)), 2, &unused);
    if (Compare(next, root) >= 0) return root;
    root = next;
  }
}

// The primes tried, and -1 as the first. A relation's exponents are one bit each, modulo 2.
constexpr uint32_t kBaseSize = 96;
constexpr uint32_t kRelations = kBaseSize + 24;
constexpr uint32_t kMaxSteps = 40'000;
constexpr uint32_t kWords = (kBaseSize + kRelations + 63) / 64;

struct Relation {
  Natural root;    // A, with A * A = (-1)^s * Q modulo n.
  Natural square;  // Q, before the sign.
  // Exponents of the base, and behind them which relations were multiplied together.
  uint64_t bits[kWords];
};

struct Factoring {
  Natural n;
  uint32_t primes[kBaseSize];
  Relation* relations[kRelations];
  uint32_t count = 0;
};

void Flip(uint64_t* bits, uint32_t i) { bits[i / 64] ^= uint64_t{1} << (i % 64); }
bool IsSet(const uint64_t* bits, uint32_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }

// Returns base^exponent modulo a small odd prime.
uint32_t PowerModulo(uint64_t base, uint32_t exponent, uint32_t modulus) {
  uint64_t power = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) power = power * base % modulus;
    base = base * base % modulus;
  }
  return static_cast<uint32_t>(power);
}

bool IsSmallPrime(uint32_t candidate) {
  for (uint32_t i = 2; i * i <= candidate; ++i) {
    if (candidate % i == 0) return false;
  }
  return candidate >= 2;
}

// Only primes modulo which n is a square can divide a Q (Euler's criterion).
void ChoosePrimes(Factoring* work) {
  uint32_t count = 0;
  for (uint32_t p = 2; count < kBaseSize; ++p) {
    if (!IsSmallPrime(p)) continue;
    uint32_t rest;
    DivideSmall(work->n, p, &rest);
    if (p == 2 || rest == 0 || PowerModulo(rest, (p - 1) / 2, p) == 1) work->primes[count++] = p;
  }
}

// Keeps the relation if its square splits over the primes.
void TryRelation(Factoring* work, const Natural& root, const Natural& square, bool negative) {
  uint64_t bits[kWords] = {};
  if (negative) Flip(bits, 0);
  Natural rest = square;
  for (uint32_t i = 1; i < kBaseSize; ++i) {
    for (;;) {
      uint32_t remainder;
      Natural quotient = DivideSmall(rest, work->primes[i - 1], &remainder);
      if (remainder != 0) break;
      rest = quotient;
      Flip(bits, i);
    }
    if (rest.IsOne()) break;
  }
  if (!rest.IsOne()) return;
  auto* relation = static_cast<Relation*>(Allocate(sizeof(Relation)));
  new (&relation->root) Natural(root);
  new (&relation->square) Natural(square);
  memcpy(relation->bits, bits, sizeof(bits));
  Flip(relation->bits, kBaseSize + work->count);
  work->relations[work->count++] = relation;
}

// Expands the square root of n and collects relations.
void CollectRelations(Factoring* work) {
  const Natural& n = work->n;
  const Natural floor_root = SquareRoot(n);
  Natural p, q(1), quotient = floor_root, before(1), root = floor_root, rest;
  bool negative = true;
  for (uint32_t step = 0; step < kMaxSteps && work->count < kRelations; ++step) {
    p = Subtract(Multiply(quotient, q), p);
    q = Divide(Subtract(n, Multiply(p, p)), q, &rest);
    if (q.IsZero()) break;
    TryRelation(work, root, q, negative);
    quotient = Divide(Add(floor_root, p), q, &rest);
    Natural next = Remainder(Add(Multiply(quotient, root), before), n);
    before = root;
    root = next;
    negative = !negative;
  }
}

// Multiplies the relations named by `bits` into x * x = y * y modulo n, and returns gcd(x - y, n).
Natural FactorFromDependency(const Factoring& work, const uint64_t* bits) {
  Natural x(1), y(1), pending(1);
  for (uint32_t i = 0; i < work.count; ++i) {
    if (!IsSet(bits, kBaseSize + i)) continue;
    const Relation& relation = *work.relations[i];
    x = Remainder(Multiply(x, relation.root), work.n);
    // Takes the square root of the product bit by bit: common factors leave in pairs.
    const Natural common = GreatestCommonDivisor(pending, relation.square);
    y = Remainder(Multiply(y, common), work.n);
    Natural rest;
    pending = Multiply(Divide(pending, common, &rest), Divide(relation.square, common, &rest));
  }
  y = Remainder(Multiply(y, SquareRoot(pending)), work.n);
  const Natural difference = Compare(x, y) >= 0 ? Subtract(x, y) : Subtract(y, x);
  return GreatestCommonDivisor(difference, work.n);
}

// Gaussian elimination modulo 2; returns the first proper factor, or 0. The relations' roots stay;
// only their bit rows are combined.
uint64_t Solve(Factoring* work) {
  bool used[kRelations] = {};
  for (uint32_t column = 0; column < kBaseSize; ++column) {
    uint32_t pivot = 0;
    while (pivot < work->count && (used[pivot] || !IsSet(work->relations[pivot]->bits, column))) {
      ++pivot;
    }
    if (pivot == work->count) continue;
    used[pivot] = true;
    for (uint32_t i = 0; i < work->count; ++i) {
      if (i == pivot || !IsSet(work->relations[i]->bits, column)) continue;
      for (uint32_t w = 0; w < kWords; ++w) {
        work->relations[i]->bits[w] ^= work->relations[pivot]->bits[w];
      }
    }
  }
  for (uint32_t i = 0; i < work->count; ++i) {
    if (used[i]) continue;
    const Natural factor = FactorFromDependency(*work, work->relations[i]->bits);
    if (!factor.IsOne() && Compare(factor, work->n) != 0) return factor.ToUint64();
  }
  return 0;
}

uint64_t Factor(const Natural& n) {
  Factoring work;
  work.n = n;
  ChoosePrimes(&work);
  CollectRelations(&work);
  const uint64_t factor = Solve(&work);
  for (uint32_t i = 0; i < work.count; ++i) {
    work.relations[i]->~Relation();
    Release(work.relations[i]);
  }
  return factor;
}

// Returns a prime a little above 2^29, different for each seed.
uint32_t RandomPrime(Random* random) {
  auto candidate = static_cast<uint32_t>((1u << 29) + random->Below(1u << 29)) | 1u;
  while (!IsSmallPrime(candidate)) candidate += 2;
  return candidate;
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Random random(1);
  uint64_t sum = 0;
  for (size_t i = 0; i < options.Scaled(480); ++i) {
    const uint64_t p = RandomPrime(&random);
    const uint64_t q = RandomPrime(&random);
    const uint64_t factor = Factor(Multiply(Natural(p), Natural(q)));
    if (factor != p && factor != q) Fail("a wrong factor");
    sum = sum * 31 + factor;
  }
  return sum;
}

}  // namespace strata::bench
