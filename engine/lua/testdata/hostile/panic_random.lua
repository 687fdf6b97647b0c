-- expect: script
return math.random(0)
