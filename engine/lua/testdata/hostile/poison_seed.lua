-- expect: script
math.randomseed(1)
