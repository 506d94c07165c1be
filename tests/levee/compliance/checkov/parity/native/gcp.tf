# What a hand writes in Terraform; ../gcp.yaml is the same in Pulumi's words.
resource "google_kms_crypto_key" "good" {
  key_ring        = "projects/p/locations/europe-west1/keyRings/lake"
  name            = "lake"
  rotation_period = "7776000s"
}

resource "google_kms_crypto_key" "bad" {
  key_ring = "projects/p/locations/europe-west1/keyRings/lake"
  name     = "still"
}

resource "google_storage_bucket" "good" {
  location                    = "EU"
  name                        = "acme-good"
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true
  encryption {
    default_kms_key_name = google_kms_crypto_key.good.id
  }
  labels = {
    cost_centre = "cc-1042"
  }
  logging {
    log_bucket = "acme-logs"
  }
  versioning {
    enabled = true
  }
}

resource "google_storage_bucket" "bad" {
  location = "EU"
  name     = "acme-bad"
}

resource "google_storage_bucket_iam_member" "bad" {
  bucket = google_storage_bucket.bad.name
  member = "allUsers"
  role   = "roles/storage.objectViewer"
}

resource "google_storage_bucket_iam_member" "good" {
  bucket = google_storage_bucket.good.name
  member = "group:readers@example.com"
  role   = "roles/storage.objectViewer"
}

resource "google_compute_network" "good" {
  auto_create_subnetworks = false
  name                    = "good"
}

resource "google_compute_firewall" "good" {
  name          = "inside"
  network       = google_compute_network.good.id
  source_ranges = ["10.0.0.0/8"]
  allow {
    ports    = ["443"]
    protocol = "tcp"
  }
}

resource "google_compute_firewall" "bad" {
  name          = "open"
  network       = google_compute_network.good.id
  source_ranges = ["0.0.0.0/0"]
  allow {
    ports    = ["22", "3389", "3306"]
    protocol = "tcp"
  }
}

resource "google_compute_subnetwork" "good" {
  ip_cidr_range            = "10.2.0.0/16"
  name                     = "good"
  network                  = google_compute_network.good.id
  private_ip_google_access = true
  region                   = "europe-west1"
  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
  }
}

resource "google_compute_subnetwork" "bad" {
  ip_cidr_range = "10.3.0.0/16"
  name          = "bad"
  network       = google_compute_network.good.id
  region        = "europe-west1"
}

resource "google_sql_database_instance" "good" {
  database_version = "POSTGRES_17"
  region           = "europe-west1"
  settings {
    tier = "db-custom-2-7680"
    backup_configuration {
      enabled = true
    }
    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }
    database_flags {
      name  = "log_connections"
      value = "on"
    }
    database_flags {
      name  = "log_disconnections"
      value = "on"
    }
    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.good.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }
  }
}

resource "google_sql_database_instance" "bad" {
  database_version = "POSTGRES_13"
  region           = "europe-west1"
  settings {
    tier = "db-custom-2-7680"
    ip_configuration {
      ipv4_enabled = true
      authorized_networks {
        name  = "everybody"
        value = "0.0.0.0/0"
      }
    }
  }
}

resource "google_compute_instance" "good" {
  machine_type = "n2-standard-2"
  name         = "good"
  zone         = "europe-west1-b"
  boot_disk {
    kms_key_self_link = google_kms_crypto_key.good.id
  }
  metadata = {
    block-project-ssh-keys = true
    enable-oslogin         = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.good.id
  }
  service_account {
    email  = "lake@p.iam.gserviceaccount.com"
    scopes = ["cloud-platform"]
  }
  shielded_instance_config {
    enable_integrity_monitoring = true
    enable_secure_boot          = true
    enable_vtpm                 = true
  }
}

resource "google_compute_instance" "bad" {
  can_ip_forward = true
  machine_type   = "n2-standard-2"
  name           = "bad"
  zone           = "europe-west1-b"
  boot_disk {
    auto_delete = true
  }
  metadata = {
    serial-port-enable = true
  }
  network_interface {
    network = "default"
    access_config {
      network_tier = "PREMIUM"
    }
  }
}

resource "google_compute_disk" "good" {
  name = "good"
  zone = "europe-west1-b"
  disk_encryption_key {
    kms_key_self_link = google_kms_crypto_key.good.id
  }
}

resource "google_compute_disk" "bad" {
  name = "bad"
  zone = "europe-west1-b"
}

resource "google_bigquery_dataset" "good" {
  dataset_id = "good"
  access {
    role          = "OWNER"
    user_by_email = "data@example.com"
  }
  default_encryption_configuration {
    kms_key_name = google_kms_crypto_key.good.id
  }
}

resource "google_bigquery_dataset" "bad" {
  dataset_id = "bad"
  access {
    role          = "READER"
    special_group = "allAuthenticatedUsers"
  }
}

resource "google_pubsub_topic" "good" {
  kms_key_name = google_kms_crypto_key.good.id
  name         = "good"
}

resource "google_pubsub_topic" "bad" {
  name = "bad"
}

resource "google_redis_instance" "good" {
  auth_enabled            = true
  memory_size_gb          = 1
  name                    = "good"
  transit_encryption_mode = "SERVER_AUTHENTICATION"
}

resource "google_redis_instance" "bad" {
  memory_size_gb = 1
  name           = "bad"
}

resource "google_container_cluster" "good" {
  enable_intranode_visibility = true
  enable_shielded_nodes       = true
  initial_node_count          = 1
  location                    = "europe-west1"
  min_master_version          = "1.33"
  name                        = "good"
  remove_default_node_pool    = true
  resource_labels = {
    cost_centre = "cc-1042"
  }
  authenticator_groups_config {
    security_group = "gke-security-groups@example.com"
  }
  binary_authorization {
    evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
  }
  ip_allocation_policy {
    cluster_secondary_range_name = "pods"
  }
  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }
  master_authorized_networks_config {
    cidr_blocks {
      cidr_block   = "10.0.0.0/8"
      display_name = "inside"
    }
  }
  network_policy {
    enabled = true
  }
  private_cluster_config {
    enable_private_endpoint = true
    enable_private_nodes    = true
  }
  release_channel {
    channel = "REGULAR"
  }
}

resource "google_container_cluster" "bad" {
  enable_legacy_abac = true
  initial_node_count = 1
  location           = "europe-west1"
  logging_service    = "none"
  monitoring_service = "none"
  name               = "bad"
}
