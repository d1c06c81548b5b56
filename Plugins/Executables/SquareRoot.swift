// Modules are linked without the mathematics library, which squareRoot() of the standard library may call.

/// The square root of a number, by Newton's method; off by a unit in the last place at most. 0 for what is not positive.
func squareRoot(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    // Half the exponent and about half the mantissa: right to 6 per cent. Each step doubles the digits.
    var root = Double(bitPattern: value.bitPattern >> 1 &+ 1023 << 51)
    for _ in 0..<5 { root = (root + value / root) / 2 }
    return root
}

/// The square root of a number below 2⁵², rounded down.
func wholeSquareRoot(_ value: Double) -> Int {
    var root = Int(squareRoot(value))
    if Double(root * root) > value { root -= 1 }
    if Double((root + 1) * (root + 1)) <= value { root += 1 }
    return root
}
