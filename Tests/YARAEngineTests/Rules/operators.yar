// object: 61626320666f6f
rule yes_1 {
    condition: 1 + 2 * 3 == 7
}
rule yes_2 {
    condition: -5 \ 2 == -2
}
rule yes_3 {
    condition: 5 \ 0.5 == 10
}
rule yes_4 {
    condition: 1 == 1.0
}
rule yes_5 {
    condition: ~0 == -1
}
rule yes_6 {
    condition: -1 % 3 == -1
}
rule yes_7 {
    condition: (1 | 2) == 3 and 1 ^ 3 == 2
}
rule yes_8 {
    condition: 5 & 3 == 1
}
rule yes_9 {
    condition: 1 << 2 + 1 == 8
}
rule yes_10 {
    condition: 1 << 64 == 0
}
rule yes_11 {
    condition: 1KB == 1024 and 1MB == 1048576 and 0x10 == 16 and 0o17 == 15
}
rule yes_12 {
    condition: "abc" contains "b"
}
rule no_13 {
    condition: "abc" contains "B"
}
rule yes_14 {
    condition: "abc" icontains "B"
}
rule yes_15 {
    condition: "abc" startswith "ab"
}
rule yes_16 {
    condition: "abc" istartswith "AB"
}
rule yes_17 {
    condition: "abc" endswith "bc"
}
rule yes_18 {
    condition: "abc" iendswith "BC"
}
rule yes_19 {
    condition: "abc" iequals "ABC"
}
rule no_20 {
    condition: "abc" iequals "ABCD"
}
rule yes_21 {
    condition: "abc" matches /^a.c$/
}
rule yes_22 {
    condition: "xABCx" matches /abc/i
}
rule no_23 {
    condition: "abc" matches /^b/
}
rule yes_24 {
    condition: "a" < "b" and "b" >= "a" and "a" != "b"
}
rule yes_25 {
    condition: "abc"
}
rule no_26 {
    condition: ""
}
rule yes_27 {
    condition: not false and (true or false)
}
rule yes_28 {
    condition: filesize == 7
}
rule yes_29 {
    condition: uint8(0) == 0x61 and uint16(0) == 0x6261 and uint32(0) == 0x20636261 and uint16be(0) == 0x6162 and uint32be(0) == 0x61626320
}
rule yes_30 {
    condition: int8(0) == 97 and int16be(1) == 0x6263
}
rule yes_31 {
    condition: 1.5 + 1 == 2.5
}
rule yes_32 {
    condition: 2 > 1 and 2 >= 2 and 1 < 2 and 1 <= 1 and 1 != 2
}
rule yes_33 {
    condition: -(1 + 1) == -2
}
