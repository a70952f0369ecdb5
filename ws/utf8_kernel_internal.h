// Skipping valid UTF-8 by vectors: utf8_x86.cc includes this once for each width, within a
// namespace that has the type Vector and the few operations below, and with
// STRATA_WS_UTF8_TARGET and STRATA_WS_UTF8_INLINE, which make a function one for that processor.
//
// "Validating UTF-8 in less than one instruction per byte", Keiser and Lemire, Software: Practice
// and Experience 51 (2021). Whether a byte may follow another is looked up by three halves of
// bytes: the high and the low one of the first and the high one of the second. Each table gives the
// set of rules of Utf8Rules() that its half fits; a rule that all three fit is broken. What remains
// to be known is whether a continuation after another one belongs to a character of three or four
// bytes, and whether one that must be there is.

// The rules broken by the bytes of `text`, before each of which come those of `before1` (the next
// one before), `before2` and `before3`. Zeros if none is.
STRATA_WS_UTF8_INLINE Vector BrokenRules(Vector text, Vector before1, Vector before2,
                                         Vector before3) {
  const Vector pairs = And(And(LookUp(kUtf8Tables.first_high, HighHalves(before1)),
                               LookUp(kUtf8Tables.first_low, LowHalves(before1))),
                           LookUp(kUtf8Tables.second_high, HighHalves(text)));
  // The high bit is set where 0xe0 or more came two bytes before, or 0xf0 or more three before: a
  // continuation after a continuation is due there, and nowhere else.
  const Vector due =
      Or(SubtractSaturated(before2, 0xe0 - 0x80), SubtractSaturated(before3, 0xf0 - 0x80));
  return Xor(pairs, And(due, Filled(kTwoContinuations)));
}

// For vectors that have at least three bytes of text before them.
STRATA_WS_UTF8_INLINE Vector BrokenRulesAt(const char* at) {
  return BrokenRules(Load(at), Load(at - 1), Load(at - 2), Load(at - 3));
}

// The text before it counts as ASCII.
STRATA_WS_UTF8_INLINE Vector BrokenRulesAtBeginning(const char* at) {
  const Vector text = Load(at);
  return BrokenRules(text, MovedUp<1>(text), MovedUp<2>(text), MovedUp<3>(text));
}

STRATA_WS_UTF8_TARGET std::size_t Skip(const char* text, std::size_t size) {
  if (size < kLanes) return 0;
  // Up to `at` all is valid, but for a character that `at` may cut.
  std::size_t at = 0;
  if (IsAscii(Load(text)) || IsZero(BrokenRulesAtBeginning(text))) at = kLanes;
  if (at == 0) return 0;

  constexpr std::size_t kStep = 64;
  bool ascii = false;
  for (; size - at >= kStep; at += kStep) {
    const char* const step = text + at;
    Vector all = Load(step);
    for (std::size_t i = kLanes; i < kStep; i += kLanes) all = Or(all, Load(step + i));
    if (IsAscii(all)) {
      // What came before must have come to an end.
      if (!ascii && WholeCharacters(text, at) != at) return WholeCharacters(text, at);
      ascii = true;
      continue;
    }
    ascii = false;
    Vector broken = BrokenRulesAt(step);
    for (std::size_t i = kLanes; i < kStep; i += kLanes) {
      broken = Or(broken, BrokenRulesAt(step + i));
    }
    if (!IsZero(broken)) return WholeCharacters(text, at);
  }
  for (; size - at >= kLanes; at += kLanes) {
    if (!IsZero(BrokenRulesAt(text + at))) return WholeCharacters(text, at);
  }
  // The last vector overlaps what is known to be valid.
  if (size - kLanes >= 3 && at != size) {
    if (!IsZero(BrokenRulesAt(text + size - kLanes))) return WholeCharacters(text, at);
    at = size;
  }
  return WholeCharacters(text, at);
}
