// object: 6f6e652074776f2074687265652074776f
rule yes_1 {
    strings:
        $a = "one"
        $b = "zzz"
    condition: any of them
}
rule no_2 {
    strings:
        $a = "one"
        $b = "zzz"
    condition: all of them
}
rule yes_3 {
    strings:
        $a = "one"
        $b = "two"
    condition: all of them
}
rule yes_4 {
    strings:
        $a1 = "one"
        $a2 = "two"
        $c = "zzz"
    condition: 2 of ($a*) or $c
}
rule no_5 {
    strings:
        $a1 = "one"
        $a2 = "two"
        $b = "zzz"
    condition: 3 of them
}
rule yes_6 {
    strings:
        $a = "zzz"
        $b = "yyy"
    condition: none of them
}
rule yes_7 {
    strings:
        $a = "zzz"
    condition: 0 of them
}
rule no_8 {
    strings:
        $a = "one"
        $b = "zzz"
    condition: 0 of them
}
rule yes_9 {
    strings:
        $a = "one"
        $b = "zzz"
    condition: 50% of them
}
rule no_10 {
    strings:
        $a = "one"
        $b = "zzz"
    condition: 51% of them
}
rule yes_11 {
    strings:
        $a = "one"
        $b = "two"
    condition: any of ($a,$b) in (0..1)
}
rule no_12 {
    strings:
        $a = "one"
        $b = "two"
    condition: all of them in (0..1)
}
rule yes_13 {
    strings:
        $a = "one"
        $b = "two"
    condition: for all of them : ($ in (0..10))
}
rule yes_14 {
    strings:
        $a = "one"
        $b = "two"
    condition: for any of them : (# == 2)
}
rule yes_15 {
    strings:
        $a = "one"
        $b = "two"
    condition: for 1 of them : (@ > 2)
}
rule yes_16 {
    strings:
        $a = "two"
    condition: for any i in (1..#a) : (@a[i] == 14)
}
rule yes_17 {
    strings:
        $a = "two"
    condition: for all i in (1..#a) : (!a[i] == 3)
}
rule yes_18 {
    condition: for any i in (1, 2, 3) : (i == 2)
}
rule no_19 {
    condition: for all i in (3..1) : (true)
}
rule yes_20 {
    condition: for 0 i in (1..3) : (i == 9)
}
rule yes_21 {
    condition: for none i in (1..3) : (i == 9)
}
rule yes_22 {
    condition: for 2 i in (1..3) : (i < 3)
}
rule yes_23 {
    condition: for any i in (0..2) : (for any j in (0..2) : (i + j == 4))
}
rule yes_24 {
    strings:
        $ = "one"
    condition: any of them
}
rule yes_25 {
    condition: any of (yes_1, yes_3)
}
rule yes_27 {
    condition: yes_1 and not no_2
}
rule no_29 {
    strings:
        $a = "two"
    condition: for all i in (1..#a) : (@a[i] == 4)
}
rule no_26 {
    condition: all of (yes_*, no_2)
}
