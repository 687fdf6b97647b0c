-- expect: script
return os.getenv('PATH')
