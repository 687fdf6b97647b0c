-- expect: value
return ('abc'):find('b', 1000, true)
