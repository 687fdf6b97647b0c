-- expect: script
return select(-9e18, 1)
