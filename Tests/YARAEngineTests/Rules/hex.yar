// object: 4d5a9000414243ff61622e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e63642e2e6364000102030405060708090a0b0c0d0e0f
rule yes_1 {
    strings:
        $a = { 4D 5A 90 }
    condition: $a at 0
}
rule yes_2 {
    strings:
        $a = { 4D ?? 90 }
    condition: $a
}
rule yes_3 {
    strings:
        $a = { 4? 5A }
    condition: $a
}
rule yes_4 {
    strings:
        $a = { ?D 5A }
    condition: $a
}
rule no_5 {
    strings:
        $a = { 4D [2] 90 }
    condition: $a
}
rule yes_6 {
    strings:
        $a = { 4D [1-3] 41 }
    condition: !a == 5
}
rule yes_7 {
    strings:
        $a = { 41 42 (43 | 44) FF }
    condition: $a
}
rule yes_8 {
    strings:
        $a = { 41 (42 43 | 99) FF }
    condition: $a
}
rule no_9 {
    strings:
        $a = { 61 62 [0-300] 63 64 }
    condition: $a
}
rule yes_10 {
    strings:
        $a = { 61 62 [300-400] 63 64 }
    condition: !a == 354
}
rule yes_11 {
    strings:
        $a = { 61 62 [-] 63 64 }
    condition: !a == 354
}
rule yes_12 {
    strings:
        $a = { 61 62 [352-] 63 64 }
    condition: !a == 358
}
rule no_13 {
    strings:
        $a = { 61 62 [400-] 63 64 }
    condition: $a
}
rule yes_14 {
    strings:
        $a = { 0? 0? 0? 0? }
    condition: #a > 10
}
rule yes_15 {
    strings:
        $a = { 4D }
    condition: #a == 1
}
rule yes_16 {
    strings:
        $a = { 41 [1-] FF }
    condition: !a == 4
}
rule yes_17 {
    strings:
        $a = { (41 | 42) 43 }
    condition: @a == 5
}
rule yes_18 {
    strings:
        $a = { 4D 5A [0-4] ( 41 42 | 42 43 ) }
    condition: !a == 6
}
