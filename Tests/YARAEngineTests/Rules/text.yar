// object: 61626162204142432061626320782d6162632d792061006200630020586100620063002059574a6a5a413d3d203132203232203362622060636265207461696c
rule yes_1 {
    strings:
        $a = "abc"
    condition: $a
}
rule yes_2 {
    strings:
        $a = "abc"
    condition: #a == 2
}
rule yes_3 {
    strings:
        $a = "abc" nocase
    condition: #a == 3
}
rule yes_4 {
    strings:
        $a = "abc" fullword
    condition: #a == 2
}
rule yes_5 {
    strings:
        $a = "bab" 
    condition: $a
}
rule no_6 {
    strings:
        $a = "bab" fullword
    condition: $a
}
rule yes_7 {
    strings:
        $a = "abc" wide
    condition: #a == 2
}
rule yes_8 {
    strings:
        $a = "abc" wide ascii
    condition: #a == 4
}
rule yes_9 {
    strings:
        $a = "abc" wide fullword
    condition: #a == 2
}
rule yes_10 {
    strings:
        $a = "abcd" base64
    condition: $a
}
rule no_11 {
    strings:
        $a = "abXf" base64
    condition: $a
}
rule yes_12 {
    strings:
        $a = "abcd" xor
    condition: $a
}
rule no_13 {
    strings:
        $a = "abcd" xor(2-3)
    condition: $a
}
rule yes_14 {
    strings:
        $a = "abcd" xor(1)
    condition: $a
}
rule yes_15 {
    strings:
        $a = "abab"
    condition: $a at 0
}
rule no_16 {
    strings:
        $a = "abab"
    condition: $a at 1
}
rule yes_17 {
    strings:
        $a = "ABC"
    condition: $a in (5..5)
}
rule no_18 {
    strings:
        $a = "ABC"
    condition: $a in (6..9)
}
rule yes_19 {
    strings:
        $a = "ab"
    condition: @a[2] == 2 and !a[1] == 2 and @a == 0
}
rule yes_20 {
    strings:
        $a = "ab"
    condition: #a in (0..2) == 2
}
rule yes_21 {
    strings:
        $a = "b"
    condition: #a > 3
}
rule yes_22 {
    strings:
        $a = "\x00"
    condition: #a == 6
}
rule yes_23 {
    strings:
        $a = "tail" private
    condition: $a
}
rule no_24 {
    strings:
        $a = "nothing"
    condition: $a
}
rule yes_25 {
    strings:
        $a = "A" nocase
    condition: #a == 9
}
