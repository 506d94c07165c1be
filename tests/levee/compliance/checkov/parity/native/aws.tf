# What a hand writes in Terraform; ../aws.yaml is the same in Pulumi's words.
resource "aws_kms_key" "good" {
  description         = "the lake's key"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_key" "bad" {
  description = "never turned"
}

resource "aws_s3_bucket" "good" {
  bucket = "acme-good"
  tags = {
    CostCentre  = "cc-1042"
    owner_email = "data@example.com"
  }
}

resource "aws_s3_bucket_versioning" "good" {
  bucket = aws_s3_bucket.good.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "good" {
  bucket = aws_s3_bucket.good.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.good.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "good" {
  bucket                  = aws_s3_bucket.good.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_logging" "good" {
  bucket        = aws_s3_bucket.good.id
  target_bucket = "acme-logs"
  target_prefix = "good/"
}

resource "aws_s3_bucket_lifecycle_configuration" "good" {
  bucket = aws_s3_bucket.good.id
  rule {
    id     = "expire"
    status = "Enabled"
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
    expiration {
      days = 365
    }
  }
}

resource "aws_s3_bucket" "bad" {
  bucket = "acme-bad"
}

resource "aws_s3_bucket_versioning" "bad" {
  bucket = aws_s3_bucket.bad.id
  versioning_configuration {
    status = "Suspended"
  }
}

resource "aws_s3_bucket_public_access_block" "bad" {
  bucket            = aws_s3_bucket.bad.id
  block_public_acls = false
}

resource "aws_s3_bucket_lifecycle_configuration" "bad" {
  bucket = aws_s3_bucket.bad.id
  rule {
    id     = "expire"
    status = "Enabled"
    expiration {
      days = 365
    }
  }
}

resource "aws_s3_bucket_policy" "bad" {
  bucket = aws_s3_bucket.bad.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::acme-bad/*"
    }]
  })
}

resource "aws_s3_bucket_policy" "good" {
  bucket = aws_s3_bucket.good.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:role/reader" }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::acme-good/*"
    }]
  })
}

resource "aws_db_instance" "good" {
  allocated_storage                   = 20
  auto_minor_version_upgrade          = true
  backup_retention_period             = 30
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  engine                              = "postgres"
  iam_database_authentication_enabled = true
  instance_class                      = "db.m6g.large"
  kms_key_id                          = aws_kms_key.good.arn
  monitoring_interval                 = 60
  monitoring_role_arn                 = "arn:aws:iam::111122223333:role/monitoring"
  multi_az                            = true
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = aws_kms_key.good.arn
  publicly_accessible                 = false
  storage_encrypted                   = true
}

resource "aws_db_instance" "bad" {
  allocated_storage   = 20
  engine              = "postgres"
  instance_class      = "db.m6g.large"
  publicly_accessible = true
}

resource "aws_rds_cluster" "good" {
  backup_retention_period             = 30
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  enabled_cloudwatch_logs_exports     = ["audit"]
  engine                              = "aurora-mysql"
  iam_database_authentication_enabled = true
  kms_key_id                          = aws_kms_key.good.arn
  storage_encrypted                   = true
}

resource "aws_rds_cluster" "bad" {
  engine              = "aurora-mysql"
  deletion_protection = false
}

resource "aws_vpc" "good" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_default_security_group" "good" {
  vpc_id = aws_vpc.good.id
}

resource "aws_flow_log" "good" {
  log_destination      = "arn:aws:s3:::acme-logs"
  log_destination_type = "s3"
  traffic_type         = "ALL"
  vpc_id               = aws_vpc.good.id
}

resource "aws_vpc" "bad" {
  cidr_block = "10.1.0.0/16"
}

resource "aws_subnet" "good" {
  cidr_block              = "10.0.1.0/24"
  map_public_ip_on_launch = false
  vpc_id                  = aws_vpc.good.id
}

resource "aws_subnet" "bad" {
  cidr_block              = "10.0.2.0/24"
  map_public_ip_on_launch = true
  vpc_id                  = aws_vpc.good.id
}

resource "aws_security_group" "good" {
  description = "the cluster's own"
  vpc_id      = aws_vpc.good.id
  ingress {
    cidr_blocks = ["10.0.0.0/16"]
    description = "from inside"
    from_port   = 443
    protocol    = "tcp"
    to_port     = 443
  }
}

resource "aws_security_group" "bad" {
  vpc_id = aws_vpc.good.id
  ingress {
    cidr_blocks = ["0.0.0.0/0"]
    from_port   = 22
    protocol    = "tcp"
    to_port     = 22
  }
  ingress {
    cidr_blocks = ["0.0.0.0/0"]
    from_port   = 3389
    protocol    = "tcp"
    to_port     = 3389
  }
  egress {
    cidr_blocks = ["0.0.0.0/0"]
    from_port   = 0
    protocol    = "-1"
    to_port     = 0
  }
}

resource "aws_ebs_volume" "good" {
  availability_zone = "eu-west-1a"
  encrypted         = true
  kms_key_id        = aws_kms_key.good.arn
  size              = 40
}

resource "aws_ebs_volume" "bad" {
  availability_zone = "eu-west-1a"
  size              = 40
}

resource "aws_instance" "good" {
  ami                         = "ami-0abcdef1234567890"
  associate_public_ip_address = false
  ebs_optimized               = true
  iam_instance_profile        = "worker"
  instance_type               = "m6i.large"
  monitoring                  = true
  vpc_security_group_ids      = [aws_security_group.good.id]
  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
  root_block_device {
    encrypted = true
  }
}

resource "aws_instance" "bad" {
  ami                         = "ami-0abcdef1234567890"
  associate_public_ip_address = true
  instance_type               = "m6i.large"
  user_data                   = "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
  ebs_block_device {
    device_name = "/dev/sdb"
    encrypted   = false
  }
}

resource "aws_lambda_function" "good" {
  code_signing_config_arn        = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1"
  filename                       = "code.zip"
  function_name                  = "good"
  handler                        = "main.handle"
  kms_key_arn                    = aws_kms_key.good.arn
  reserved_concurrent_executions = 10
  role                           = "arn:aws:iam::111122223333:role/lambda"
  runtime                        = "python3.13"
  dead_letter_config {
    target_arn = aws_sqs_queue.good.arn
  }
  environment {
    variables = {
      LOG_LEVEL  = "INFO"
      someCamel  = "kept"
      BUCKET     = aws_s3_bucket.good.id
    }
  }
  tracing_config {
    mode = "Active"
  }
  vpc_config {
    security_group_ids = [aws_security_group.good.id]
    subnet_ids         = [aws_subnet.good.id]
  }
}

resource "aws_lambda_function" "bad" {
  filename      = "code.zip"
  function_name = "bad"
  handler       = "main.handle"
  role          = "arn:aws:iam::111122223333:role/lambda"
  runtime       = "python3.7"
  environment {
    variables = {
      AWS_ACCESS_KEY_ID     = "AKIAIOSFODNN7EXAMPLE"
      AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    }
  }
}

resource "aws_sns_topic" "good" {
  kms_master_key_id = aws_kms_key.good.arn
}

resource "aws_sns_topic" "bad" {
  name = "plain"
}

resource "aws_sqs_queue" "good" {
  kms_master_key_id = aws_kms_key.good.id
}

resource "aws_sqs_queue" "bad" {
  sqs_managed_sse_enabled = false
}

resource "aws_dynamodb_table" "good" {
  hash_key = "id"
  name     = "good"
  attribute {
    name = "id"
    type = "S"
  }
  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.good.arn
  }
}

resource "aws_dynamodb_table" "bad" {
  hash_key = "id"
  name     = "bad"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_eks_cluster" "good" {
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  role_arn                  = "arn:aws:iam::111122223333:role/eks"
  version                   = "1.34"
  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = aws_kms_key.good.arn
    }
  }
  vpc_config {
    endpoint_private_access = true
    endpoint_public_access  = false
    subnet_ids              = [aws_subnet.good.id]
  }
}

resource "aws_eks_cluster" "bad" {
  role_arn = "arn:aws:iam::111122223333:role/eks"
  version  = "1.24"
  vpc_config {
    public_access_cidrs = ["0.0.0.0/0"]
    subnet_ids          = [aws_subnet.good.id]
  }
}

resource "aws_cloudtrail" "good" {
  cloud_watch_logs_group_arn = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"
  enable_log_file_validation = true
  is_multi_region_trail      = true
  kms_key_id                 = aws_kms_key.good.arn
  s3_bucket_name             = aws_s3_bucket.good.id
  sns_topic_name             = aws_sns_topic.good.arn
}

resource "aws_cloudtrail" "bad" {
  enable_logging = false
  s3_bucket_name = aws_s3_bucket.bad.id
}

resource "aws_elasticache_replication_group" "good" {
  at_rest_encryption_enabled = true
  auth_token                 = "a-very-long-and-random-token"
  automatic_failover_enabled = true
  description                = "sessions"
  kms_key_id                 = aws_kms_key.good.arn
  multi_az_enabled           = true
  transit_encryption_enabled = true
}

resource "aws_elasticache_replication_group" "bad" {
  description = "sessions"
}

resource "aws_efs_file_system" "good" {
  encrypted  = true
  kms_key_id = aws_kms_key.good.arn
}

resource "aws_efs_file_system" "bad" {
  creation_token = "plain"
}

resource "aws_redshift_cluster" "good" {
  allow_version_upgrade     = true
  cluster_identifier        = "good"
  cluster_subnet_group_name = "private"
  database_name             = "lake"
  encrypted                 = true
  enhanced_vpc_routing      = true
  kms_key_id                = aws_kms_key.good.arn
  node_type                 = "ra3.xlplus"
  publicly_accessible       = false
}

resource "aws_redshift_cluster" "bad" {
  cluster_identifier  = "bad"
  node_type           = "ra3.xlplus"
  publicly_accessible = true
}

resource "aws_ecr_repository" "good" {
  image_tag_mutability = "IMMUTABLE"
  name                 = "good"
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.good.arn
  }
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_repository" "bad" {
  name = "bad"
}

resource "aws_cloudwatch_log_group" "good" {
  kms_key_id        = aws_kms_key.good.arn
  retention_in_days = 400
}

resource "aws_cloudwatch_log_group" "bad" {
  retention_in_days = 7
}

resource "aws_iam_policy" "good" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["arn:aws:s3:::acme-good/silver/*"]
    }]
  })
}

resource "aws_iam_policy" "bad" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "*"
      Resource = "*"
    }]
  })
}

resource "aws_iam_role" "good" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role" "bad" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "*" }
    }]
  })
  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]
}

resource "aws_lb" "good" {
  drop_invalid_header_fields = true
  enable_deletion_protection = true
  internal                   = true
  load_balancer_type         = "application"
  access_logs {
    bucket  = aws_s3_bucket.good.id
    enabled = true
  }
}

resource "aws_lb" "bad" {
  internal           = false
  load_balancer_type = "application"
}

resource "aws_lb_listener" "good" {
  load_balancer_arn = aws_lb.good.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  default_action {
    target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/1"
    type             = "forward"
  }
}

resource "aws_lb_listener" "bad" {
  load_balancer_arn = aws_lb.bad.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/1"
    type             = "forward"
  }
}

resource "aws_secretsmanager_secret" "good" {
  kms_key_id = aws_kms_key.good.arn
}

resource "aws_secretsmanager_secret_rotation" "good" {
  rotation_lambda_arn = aws_lambda_function.good.arn
  secret_id           = aws_secretsmanager_secret.good.id
  rotation_rules {
    automatically_after_days = 30
  }
}

resource "aws_secretsmanager_secret" "bad" {
  name = "plain"
}

resource "aws_kinesis_stream" "good" {
  encryption_type = "KMS"
  kms_key_id      = aws_kms_key.good.id
  name            = "good"
}

resource "aws_kinesis_stream" "bad" {
  name = "bad"
}

resource "aws_athena_workgroup" "good" {
  name = "good"
  configuration {
    enforce_workgroup_configuration = true
    result_configuration {
      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.good.arn
      }
    }
  }
}

resource "aws_athena_workgroup" "bad" {
  name = "bad"
  configuration {
    enforce_workgroup_configuration = false
  }
}

resource "aws_cloudfront_distribution" "bad" {
  enabled = true
  default_cache_behavior {
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    target_origin_id       = "lake"
    viewer_protocol_policy = "allow-all"
  }
  origin {
    domain_name = "lake.example.com"
    origin_id   = "lake"
    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1"]
    }
  }
  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
  viewer_certificate {
    cloudfront_default_certificate = true
  }
}

resource "aws_cloudfront_distribution" "good" {
  default_root_object = "index.html"
  enabled             = true
  web_acl_id          = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/a/1"
  default_cache_behavior {
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    response_headers_policy_id = "67f7725c-6f97-4210-82d7-5512b31e9d03"
    target_origin_id           = "lake"
    viewer_protocol_policy     = "https-only"
  }
  logging_config {
    bucket = "acme-logs.s3.amazonaws.com"
  }
  origin {
    domain_name = "lake.example.com"
    origin_id   = "lake"
    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }
  restrictions {
    geo_restriction {
      restriction_type = "whitelist"
      locations        = ["IE"]
    }
  }
  viewer_certificate {
    acm_certificate_arn      = "arn:aws:acm:us-east-1:111122223333:certificate/1"
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }
}
