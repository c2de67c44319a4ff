echo 1
echo 3
